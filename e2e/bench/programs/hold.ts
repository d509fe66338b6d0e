/**
 * `hold.ts packet|kernel COUNT [NODE NODES SECONDS]`: the wire thread of a speaker that shares COUNT addresses on eth0,
 * every second one from 198.18.0.0 on, with those NODES (separated by commas; by default it is alone), and asks for theirs
 * every so many SECONDS (by default never). Prints `held` when it has announced its own; holds them until it is ended.
 */
import { WirePort } from '../../../speaker/wire-port.ts';
import type { PlannedAddress } from '../../../speaker/plan.ts';
import { planChange } from '../../../speaker/plan-change.ts';
import { withoutKey } from '../../../speaker/pulse-keys.ts';
import { heldAddress } from '../answering/addresses.ts';

const [responder = '', said = '', node = 'node-1', all = node, seconds = '0'] =
  process.argv.slice(2);
if (responder !== 'packet' && responder !== 'kernel')
  throw new Error('hold.ts packet|kernel COUNT [NODE NODES SECONDS]');
const count = Number(said);
/** An address that was taken is announced again and again for 4.4 seconds. */
const announcedAfterMs = 5_000;

let announced: NodeJS.Timeout | undefined;
const start = {
  node,
  keys: withoutKey(),
  shortestPulseMs: 100,
  witnessSeconds: Number(seconds),
  pulsePort: 0,
  probeMs: 0,
  links: ['eth0'],
  excludedLinks: [],
  responder,
  checksKubeProxy: false,
  checksGateway: false,
} as const;
const candidates = all.split(',').map((name) => ({ node: name, score: 0 }));
const planned: PlannedAddress = { services: [], candidates, links: ['eth0'] };
const addresses = Array.from({ length: count }, (_, index) => heldAddress(index));
const plan = new Map(addresses.map((address) => [address, planned]));
const missing = new Set(candidates.map((one) => one.node).filter((name) => name !== node));
const wire = new WirePort(start, (fact) => {
  if (fact.kind === 'peer' && missing.delete(fact.node) && missing.size === 0) takeShare();
  if (fact.kind !== 'held') return;
  announced ??= setTimeout(() => process.stdout.write('held\n'), announcedAfterMs);
  announced.refresh();
});
if (missing.size === 0) takeShare();
await wire.failed;

/** Who is alone when it learns of the addresses would keep them all. */
function takeShare(): void {
  wire.give({ kind: 'plan', change: planChange(undefined, plan), speakers: [] });
}
