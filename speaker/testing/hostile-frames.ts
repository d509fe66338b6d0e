import { type Address, formatAddress } from '../../net/address.ts';
import { broadcastMac, type Mac, macFromBytes, macToBytes } from '../../net/mac.ts';
import type { ClaimItem, Message, Standing } from '../core/message.ts';
import { formatArp } from '../wire/arp.ts';
import { overheadBytes, seal } from '../wire/envelope.ts';
import { etherTypes, formatFrame, headerBytes, speakersMac } from '../wire/ethernet.ts';
import { neighboursOf } from '../wire/family.ts';
import { formatMessage } from '../wire/message.ts';
import { formatNdp, groupMac, solicitedNodeGroup } from '../wire/ndp.ts';
import type { Random } from './random.ts';

/** What a hostile station knows of a segment: whatever went over the wire, names, addresses. */
type Loot = {
  /** What the speakers of now said, and what one of them said before it was started again. */
  readonly recorded: readonly Uint8Array[];
  readonly earlier: readonly Uint8Array[];
  /** The frames of the node that is attacked. */
  readonly own: readonly Uint8Array[];
  readonly nodes: readonly string[];
  /** Addresses that the attacked node answers for, of both families. */
  readonly held: readonly Address[];
};

/** The same and the key, and in which life the others are. */
export type Stolen = Loot & { readonly key: Uint8Array; readonly boots: readonly bigint[] };

type Names = Pick<Loot, 'nodes' | 'held'>;

/** One sort of hostile frames, as many as wanted. */
export type Sort = { readonly name: string; readonly next: () => Uint8Array };

/** The most that a term and a boot can say. */
const mostTerm = 2 ** 48 - 1;
const vlanTag = Uint8Array.of(0x81, 0x00, 0x00, 0x05);

/** What a station that has no key can send to the speakers of a segment. */
export function sortsWithoutKey(loot: Loot, random: Random): readonly Sort[] {
  const recorded = (): Uint8Array => random.pick(loot.recorded);
  const strange = bytesOf(random, 32);
  return [
    { name: 'random bytes', next: () => noise(etherTypes.speaker, random) },
    { name: 'cut off', next: inTurn(recorded, cut) },
    { name: 'one bit changed', next: () => flip(recorded(), headerBytes, random) },
    { name: 'with another length', next: () => misfit(recorded(), random) },
    { name: 'tagged', next: () => tagged(recorded()) },
    { name: 'forged without the key', next: () => forged(loot, bytesOf(random, 32), random) },
    { name: 'of another cluster', next: () => forged(loot, strange, random) },
    { name: 'replayed', next: recorded },
    { name: 'of an earlier life', next: () => random.pick(loot.earlier) },
    { name: 'its own', next: () => random.pick(loot.own) },
  ];
}

/** What one that has the key can send in the name of others. */
export const sortsWithKey = (loot: Stolen, random: Random): readonly Sort[] => [
  { name: 'sealed nonsense', next: () => nonsense(loot, random) },
  { name: 'of unknown machines with the key', next: () => forged(loot, loot.key, random) },
];

/** What can be sent to who answers for addresses. */
export function sortsForNeighbours({ held }: Pick<Loot, 'held'>, random: Random): readonly Sort[] {
  return held.flatMap((address): Sort[] => {
    const { etherType, family } = neighboursOf(address.family);
    const good = (): Uint8Array =>
      random.chance(0.5) ? question(address, random) : claim(address, random);
    const name = family === 'IPv4' ? 'ARP' : 'NDP';
    return [
      { name: `${name}: random bytes`, next: () => noise(etherType, random) },
      { name: `${name}: cut off`, next: inTurn(good, cut) },
      { name: `${name}: one bit changed`, next: () => flip(good(), headerBytes, random) },
      { name: `${name}: with another length`, next: () => misfit(good(), random) },
      { name: `${name}: tagged`, next: () => tagged(good()) },
      { name: `${name}: claims`, next: () => claim(address, random) },
      {
        name: `${name}: questions about others`,
        next: () => question(neighbourOf(address, random), random),
      },
      { name: `${name}: questions`, next: () => question(address, random) },
    ];
  });
}

/** A question of a station about this address: of one that has an address, or only wants this one. */
function question(target: Address, random: Random): Uint8Array {
  const mac = anyStation(random);
  const asker = neighbourOf(target, random);
  if (target.family === 'IPv4') {
    const sender = random.chance(0.2) ? { ...asker, value: 0n } : asker;
    const targetMac = anyMac(random);
    const payload = formatArp({ operation: 'request', senderMac: mac, sender, targetMac, target });
    return formatFrame({
      destination: broadcastMac,
      source: mac,
      etherType: etherTypes.arp,
      payload,
    });
  }
  const destination = solicitedNodeGroup(target);
  const probes = random.chance(0.2);
  const payload = formatNdp({
    kind: 'solicitation',
    source: probes ? { ...asker, value: 0n } : asker,
    destination,
    target,
    mac: probes ? undefined : mac,
  });
  const to = { destination: groupMac(destination), source: mac };
  return formatFrame({ ...to, etherType: etherTypes.ipv6, payload });
}

/** Somebody says, unasked, that the address is with a machine: any machine, groups and nobody among them. */
const claim = (address: Address, random: Random): Uint8Array =>
  random.pick(neighboursOf(address.family).unsolicited(address, anyMac(random)));

const neighbourOf = ({ family, value }: Address, random: Random): Address => ({
  family,
  value: (value & ~0xffn) | BigInt(random.integer(1, 0x7f)),
});

/** Any message that the protocol has, in any name, with what nobody sound would say. */
function anyMessage(loot: Names, random: Random): Message {
  const node = random.pick([...loot.nodes, 'node-66', 'n'.repeat(255)]);
  const sender = { node, mac: anyMac(random) };
  const claims = anyClaims(loot, random);
  const version = random.pick([0, 1, mostTerm]);
  const nonce = random.chance(0.3) ? 0n : random64(random);
  const standing = anyStanding(random);
  return random.pick<Message>([
    { ...sender, kind: 'pulse', standing },
    { ...sender, kind: 'ask', nonce },
    { ...sender, kind: 'answer', nonce, standing },
    { ...sender, kind: 'pull' },
    { ...sender, kind: 'claims', version, claims },
    { ...sender, kind: 'claims', version, claims, snapshot: { part: 0, parts: 1 } },
    { ...sender, kind: 'release', version, claims },
    { ...sender, kind: 'handover', claims },
    { ...sender, kind: 'absent', nonce },
  ]);
}

const anyStanding = (random: Random): Standing => ({
  phase: random.pick(['listening', 'active', 'leaving', 'left']),
  health: random.pick(['well', 'unsure', 'mending', 'sick']),
  intervalMs: random.pick([5, 100, 0xffff]),
  claims: { count: random.pick([0, 1, 2 ** 32 - 1]), sum: random.integer(0, 2 ** 32 - 1) },
});

const anyClaims = ({ held }: Names, random: Random): readonly ClaimItem[] =>
  Array.from({ length: random.pick([0, 1, 40]) }, () => ({
    address: formatAddress(
      random.chance(0.5) ? random.pick(held) : neighbourOf(random.pick(held), random),
    ),
    term: random.pick([1, 2, 1_000, mostTerm]),
  }));

/** What only a speaker with a fault could say: sealed, and no message. */
function nonsense(loot: Stolen, random: Random): Uint8Array {
  const boot = random.chance(0.5) ? random.pick(loot.boots) : random64(random);
  const { kind, payload } = formatMessage(anyMessage(loot, random));
  const what = random.pick([
    { kind, payload: payload.subarray(0, random.integer(0, payload.length - 1)) },
    { kind: random.integer(9, 255), payload },
    { kind: 5, payload: bytesOf(random, random.integer(0, 200)) },
  ]);
  return framed(seal({ ...what, boot, sequence: random64(random) }, loot.key), random);
}

function forged(loot: Names, key: Uint8Array, random: Random): Uint8Array {
  const sequence = BigInt(random.integer(0, 2 ** 32 - 1));
  const message = formatMessage(anyMessage(loot, random));
  return framed(seal({ ...message, boot: random64(random), sequence }, key), random);
}

const framed = (payload: Uint8Array, random: Random): Uint8Array =>
  formatFrame({
    destination: speakersMac,
    source: anyStation(random),
    etherType: etherTypes.speaker,
    payload,
  });

function noise(etherType: number, random: Random): Uint8Array {
  const bytes = bytesOf(random, random.integer(0, 1600));
  if (bytes.length >= headerBytes) new DataView(bytes.buffer).setUint16(12, etherType);
  return bytes;
}

/** Cuts frames off at every length, one after the other. */
function inTurn(
  source: () => Uint8Array,
  change: (frame: Uint8Array, turn: number) => Uint8Array,
): () => Uint8Array {
  let turn = 0;
  return () => change(source(), turn++);
}

const cut = (frame: Uint8Array, turn: number): Uint8Array =>
  frame.slice(0, turn % (contentOf(frame) + 1));

/** Where a frame ends but for its padding, as far as a stranger can tell; what is cut off there is no longer whole. */
function contentOf(frame: Uint8Array): number {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const etherType = view.getUint16(12);
  if (etherType === etherTypes.arp) return headerBytes + 27;
  if (etherType === etherTypes.ipv6) return headerBytes + 40 + view.getUint16(18) - 1;
  return headerBytes + overheadBytes + view.getUint16(headerBytes + 4) - 1;
}

function flip(frame: Uint8Array, from: number, random: Random): Uint8Array {
  const copy = frame.slice();
  const at = random.integer(from, contentOf(frame));
  copy[at] = (copy[at] ?? 0) ^ (1 << random.integer(0, 7));
  return copy;
}

/** The lengths inside say something else than there is. */
function misfit(frame: Uint8Array, random: Random): Uint8Array {
  const copy = new Uint8Array(random.integer(frame.length, 1600));
  copy.set(frame);
  new DataView(copy.buffer).setUint16(headerBytes + 4, random.integer(0, 0xffff));
  return copy;
}

/** As a switch would deliver it that does not know whose VLAN this is. */
const tagged = (frame: Uint8Array): Uint8Array =>
  Uint8Array.from([...frame.subarray(0, 12), ...vlanTag, ...frame.subarray(12)]);

const anyMac = (random: Random): Mac => macFromBytes(bytesOf(random, 6));

const anyStation = (random: Random): Mac => {
  const bytes = macToBytes(anyMac(random));
  bytes[0] = 0x02;
  return macFromBytes(bytes);
};

const random64 = (random: Random): bigint =>
  (BigInt(random.integer(0, 2 ** 32 - 1)) << 32n) | BigInt(random.integer(0, 2 ** 32 - 1));

function bytesOf(random: Random, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = random.integer(0, 255);
  return bytes;
}
