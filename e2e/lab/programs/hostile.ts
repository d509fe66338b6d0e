/**
 * `hostile.ts FRAMES PER_SECOND ADDRESS…`: what a hostile station without the key can send on a segment. For a second it
 * records what the speakers say; then come, in turn, all sorts of frames for speakers and broken ones for who answers for
 * the ADDRESSES, at a steady pace; with `--claims` also claims of the ADDRESSES. Says on stderr when it fires, and prints in the end
 * `{"sent": …, "seconds": …}`.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../../daemon/clock.ts';
import { parseAddress } from '../../../net/address.ts';
import { macToBytes } from '../../../net/mac.ts';
import { readLinks } from '../../../speaker/io/link.ts';
import { PacketSocket } from '../../../speaker/io/packet-socket.ts';
import {
  type Sort,
  sortsForNeighbours,
  sortsWithoutKey,
} from '../../../speaker/testing/hostile-frames.ts';
import { seeded } from '../../../speaker/testing/random.ts';
import {
  etherTypes,
  headerBytes,
  mostPayloadBytes,
  speakersMac,
} from '../../../speaker/wire/ethernet.ts';
import { neighboursOf } from '../../../speaker/wire/family.ts';
import { speakersFilter } from '../../../speaker/wire/filter.ts';

const usage = 'hostile.ts [--claims] FRAMES PER_SECOND ADDRESS…';
const { values, positionals } = parseArgs({
  options: { claims: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const [frames = 0, perSecond = 0] = positionals.slice(0, 2).map(Number);
const held = positionals.slice(2).flatMap((said) => parseAddress(said) ?? []);
const link = readLinks().find(({ name }) => name === 'eth0');
const mac = link?.mac;
if (
  link === undefined ||
  mac === undefined ||
  !(frames > 0) ||
  !(perSecond > 0) ||
  held.length === 0
) {
  throw new Error(usage);
}

using speakers = new PacketSocket({ link, etherType: etherTypes.speaker, filter: speakersFilter });
speakers.join(speakersMac);
const recorded: Uint8Array[] = [];
for (const endMs = systemClock.nowMs() + 1_000; systemClock.nowMs() < endMs; await wait(10)) {
  recorded.push(...speakers.receive().frames.map((frame) => frame.slice()));
}
if (recorded.length === 0) throw new Error('no speaker was heard');

const random = seeded(randomInt(2 ** 31));
const nodes = ['node-1', 'node-2', 'node-3'];
const loot = { recorded, earlier: recorded, own: recorded, nodes, held };
/** Questions and changed bits in them could lead astray who is asked, whatever the product does. */
const harmless = ['random bytes', 'cut off', 'with another length', 'tagged'];
const sorts: Sort[] = [
  ...sortsWithoutKey(loot, random),
  ...sortsForNeighbours(loot, random).filter(({ name }) =>
    harmless.some((end) => name.endsWith(end)),
  ),
];
if (values.claims) {
  const macs = Array.from({ length: 4 }, (_, index) => `02:00:00:00:66:0${index}`);
  const claims = held.flatMap((address) =>
    macs.flatMap((mac) => neighboursOf(address.family).unsolicited(address, mac)),
  );
  sorts.push({ name: 'claims', next: () => random.pick(claims) });
}

/** With another's MAC it would lead the switch astray, whatever is in the frame; that is for port security to prevent. */
const own = macToBytes(mac);
function fromHere(frame: Uint8Array): Uint8Array {
  const copy = frame.slice(0, headerBytes + mostPayloadBytes);
  copy.set(own, 6);
  return copy;
}

/** Enough that none comes again soon, and made before the first is sent: the pace is to be steady. */
const stock = Array.from({ length: 20_000 }, (_, index) => sorts[index % sorts.length]?.next())
  .flatMap((frame) => frame ?? [])
  .filter(({ length }) => length >= headerBytes)
  .map(fromHere);

process.stderr.write('fires\n');
const startMs = systemClock.nowMs();
let sent = 0;
while (sent < frames) {
  const due = Math.min(frames, ((systemClock.nowMs() - startMs) * perSecond) / 1_000);
  while (sent < due) {
    const at = sent % stock.length;
    const some = stock.slice(at, at + Math.min(64, Math.ceil(due - sent)));
    speakers.send(some);
    sent += some.length;
  }
  await wait(1);
}
const seconds = (systemClock.nowMs() - startMs) / 1_000;
process.stdout.write(`${JSON.stringify({ sent, seconds })}\n`);
