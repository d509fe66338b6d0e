/**
 * `hold.ts packet|kernel COUNT`: the wire thread of a speaker that is alone, and holds COUNT addresses on eth0, every
 * second one from 198.18.0.0 on. Prints `held` when it has announced them all; holds them until it is ended.
 */
import { WirePort } from '../../../speaker/wire-port.ts';
import type { PlannedAddress } from '../../../speaker/plan.ts';
import { withoutKey } from '../../../speaker/pulse-keys.ts';
import { heldAddress } from '../answering/addresses.ts';

const [responder = '', said = ''] = process.argv.slice(2);
if (responder !== 'packet' && responder !== 'kernel')
  throw new Error('hold.ts packet|kernel COUNT');
const count = Number(said);
/** An address that was taken is announced again and again for 4.4 seconds. */
const announcedAfterMs = 5_000;

const node = 'node-1';
let held = 0;
const start = {
  node,
  keys: withoutKey(),
  shortestPulseMs: 100,
  witnessSeconds: 0,
  pulsePort: 0,
  probeMs: 0,
  links: ['eth0'],
  excludedLinks: [],
  responder,
} as const;
const wire = new WirePort(start, ({ kind }) => {
  if (kind !== 'held' || ++held < count) return;
  setTimeout(() => process.stdout.write('held\n'), announcedAfterMs);
});
const planned: PlannedAddress = { services: [], candidates: [{ node, score: 0 }], links: ['eth0'] };
const addresses = Array.from({ length: count }, (_, index) => heldAddress(index));
wire.give({
  kind: 'plan',
  plan: new Map(addresses.map((address) => [address, planned])),
  speakers: [],
});
await wire.failed;
