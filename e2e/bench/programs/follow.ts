/**
 * `follow.ts ACCESS`: the judge. It lists and watches all Services, and prints what it sees of them: a JSON line whenever
 * something has changed, at most a hundred a second.
 */
import { readFileSync } from 'node:fs';
import { systemClock } from '../../../daemon/clock.ts';
import type { Access } from '../../../kube/access.ts';
import { kinds, pathOf } from '../../../kube/kinds.ts';
import { keyOf, type Service } from '../../../kube/object.ts';
import { openTransport } from '../../../kube/transport.ts';
import { parsePage, parseWatchEvent } from '../../../kube/watch-event.ts';

/** One line of this program. */
export type Sight = {
  /** Wall clock, of the last change. */
  readonly atMs: number;
  /** LoadBalancer Services that have an address. */
  readonly assigned: number;
  /** Of these addresses, how many different ones. */
  readonly distinct: number;
  /** How often the API server told of a change of a known Service; of a write that changes nothing it tells nobody. */
  readonly changes: number;
};

const [accessPath = ''] = process.argv.slice(2);
// The bench has written it.
const api = openTransport(JSON.parse(readFileSync(accessPath, 'utf8')) as Access);
const path = pathOf(kinds.service);

const known = new Set<string>();
const addressOf = new Map<string, string>();
const holders = new Map<string, number>();
let changes = 0;
let atMs = systemClock.wall().getTime();
let unsaid = true;

function take(service: Service): void {
  const key = keyOf(service);
  if (known.has(key)) changes += 1;
  known.add(key);
  const before = addressOf.get(key);
  const now = service.status?.loadBalancer?.ingress?.[0]?.ip;
  if (before === now) return;
  if (before !== undefined) count(before, -1);
  if (now === undefined) return void addressOf.delete(key);
  addressOf.set(key, now);
  count(now, 1);
}

function count(address: string, step: 1 | -1): void {
  const left = (holders.get(address) ?? 0) + step;
  if (left === 0) holders.delete(address);
  else holders.set(address, left);
}

function say(): void {
  if (!unsaid) return;
  unsaid = false;
  const sight: Sight = { atMs, assigned: addressOf.size, distinct: holders.size, changes };
  process.stdout.write(`${JSON.stringify(sight)}\n`);
}

const list = parsePage(await api.call({ method: 'GET', path }));
if (list === undefined) throw new Error(`GET ${path}: the answer is not a list`);
for (const item of list.items) take(item);
setInterval(say, 10);
const query = { watch: true, resourceVersion: list.version, timeoutSeconds: 3_600 };
for await (const line of api.lines({ method: 'GET', path, query }, 3_600_000)) {
  const event = parseWatchEvent(line);
  if (event === undefined || event.kind === 'error') throw new Error('the watch broke');
  if (event.kind !== 'put') continue;
  take(event.object);
  atMs = systemClock.wall().getTime();
  unsaid = true;
}
throw new Error('the watch ended');
