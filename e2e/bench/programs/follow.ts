/**
 * `follow.ts ACCESS`: the judge. It lists and watches all Services, and prints what it sees of them: a JSON line whenever
 * something has changed, at most a hundred a second.
 */
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { systemClock } from '../../../daemon/clock.ts';
import { openLog } from '../../../daemon/log.ts';
import type { Access } from '../../../kube/access.ts';
import { kinds } from '../../../kube/kinds.ts';
import type { Service } from '../../../kube/object.ts';
import { Reflector } from '../../../kube/reflector.ts';
import type { Change } from '../../../kube/store.ts';
import { openTransport } from '../../../kube/transport.ts';

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
const addressOf = new Map<string, string>();
const holders = new Map<string, number>();
let changes = 0;
let atMs = systemClock.wall().getTime();
let unsaid = false;

const services = new Reflector<Service>({
  // The bench has written it.
  transport: openTransport(JSON.parse(readFileSync(accessPath, 'utf8')) as Access),
  kind: kinds.service,
  onChange: take,
  onList: () => (unsaid = true),
  log: openLog('debug', (line) => process.stderr.write(`${line}\n`)),
  clock: systemClock,
  random: () => randomInt(2 ** 32) / 2 ** 32,
});
setInterval(say, 10);
await services.run(new AbortController().signal);

function take({ kind, key, object }: Change<Service>): void {
  atMs = systemClock.wall().getTime();
  unsaid = true;
  if (kind === 'changed') changes += 1;
  const before = addressOf.get(key);
  const now = kind === 'deleted' ? undefined : object.status?.loadBalancer?.ingress?.[0]?.ip;
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
