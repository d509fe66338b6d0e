import { type Address, addressToBytes } from '../../net/address.ts';
import { type Mac, macToBytes } from '../../net/mac.ts';
import { otherHost } from './bpf.ts';
import {
  addAtomically,
  call,
  compute,
  exit,
  jumpIf,
  label,
  type Line,
  type Lines,
  load,
  networkHalf,
  networkWord,
  type Place,
  pointToMap,
  pointToValue,
  type Register,
  store,
} from './ebpf.ts';
import { etherTypes } from './ethernet.ts';

/**
 * The program that answers questions about held addresses in the kernel, on the way in from a link. It turns the
 * frame of the question into that of the answer and sends it back; what it does not answer, for whatever reason, goes
 * on untouched to the packet socket, so that of the two exactly one answers. It passes on everything but plain
 * questions: claims, probes for duplicate addresses of IPv6, frames of other stations and of VLANs, our own, and all
 * that is malformed.
 */
type AnsweringMaps = {
  /** A hash of held addresses: `heldKeyBytes` to one byte without meaning. */
  readonly heldFd: number;
  /** An array of one `leaseBytes`. */
  readonly leaseFd: number;
};

/**
 * What the program and the speaker share, each field read and written at once:
 *
 * | offset | bytes | what                                                                      |
 * |-------:|------:|---------------------------------------------------------------------------|
 * |      0 |     8 | until when it may answer, in nanoseconds of the monotonic clock; 0: not   |
 * |      8 |     6 | the MAC that it answers                                                   |
 * |     14 |     2 | zero                                                                      |
 * |     16 |     8 | how many questions it has answered                                        |
 */
export const leaseBytes = 24;
export const leaseFields = { until: 0, mac: 8, answers: 16 } as const;

/**
 * The key of a held address:
 *
 * | bytes | what                                                     |
 * |------:|----------------------------------------------------------|
 * |     2 | EtherType of the questions about it, in network order    |
 * |     2 | zero                                                     |
 * |    16 | the address in network order, four bytes of IPv4 first   |
 */
export const heldKeyBytes = 20;

export function heldKey(address: Address): Uint8Array {
  const bytes = new Uint8Array(new ArrayBuffer(heldKeyBytes));
  const { arp, ipv6 } = etherTypes;
  new DataView(bytes.buffer).setUint16(0, address.family === 'IPv4' ? arp : ipv6);
  bytes.set(addressToBytes(address), 4);
  return bytes;
}

/** The MAC as the lease keeps it: a little-endian number whose first byte is the MAC's first. */
export function macNumber(mac: Mac): bigint {
  return macToBytes(mac).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** Verdicts of linux/bpf.h: on to whoever comes next, and out through the link that `redirect` was called with. */
export const verdicts = { next: -1, redirect: 7 } as const;

// struct __sk_buff of linux/bpf.h: the first argument of the program, which stays in r6.
const fact = (offset: number): Place => ['r6', offset];
const facts = {
  length: fact(0),
  packetType: fact(4),
  protocol: fact(16),
  vlanTagPresent: fact(20),
  link: fact(40),
  data: fact(76),
  dataEnd: fact(80),
} as const;

// r7 points to the frame, r8 to the lease; r9 is the MAC of who asks, as `macNumber` has it.
const frame = (offset: number): Place => ['r7', offset];
const shared = (field: keyof typeof leaseFields): Place => ['r8', leaseFields[field]];
const stack = (offset: number): Place => ['r10', offset - heldKeyBytes];

/** Goes on only when the frame has this half there. */
const demandHalf = (offset: number, value: number): Lines => [
  load('half', 'r0', frame(offset)),
  jumpIf('r0', '!=', networkHalf(value), 'pass'),
];

/** Goes on only with a whole frame of this length at least and at most, all of it where a program can read it. */
const demandLength = (least: number, most: number): Lines => [
  load('word', 'r0', facts.length),
  jumpIf('r0', '>', most, 'pass'),
  load('word', 'r7', facts.data),
  load('word', 'r0', facts.dataEnd),
  compute('set', 'r1', 'r7'),
  compute('add', 'r1', least),
  jumpIf('r1', '>', 'r0', 'pass'),
];

/** Goes on only when the MAC there can be one station's, and is not our own. */
const demandAsker = (offset: number): Lines => [
  load('half', 'r9', frame(offset + 4)),
  compute('shiftLeft', 'r9', 32),
  load('word', 'r0', frame(offset)),
  compute('or', 'r9', 'r0'),
  jumpIf('r9', '==', 0, 'pass'),
  compute('and', 'r0', 1),
  jumpIf('r0', '!=', 0, 'pass'),
  load('double', 'r0', shared('mac')),
  jumpIf('r9', '==', 'r0', 'pass'),
];

/** Goes on only when the address there, of so many words, is held, and as long as the lease lasts. */
const demandHeld = ({ heldFd }: AnsweringMaps, offset: number, words: number): Lines => [
  load('word', 'r0', facts.protocol),
  store('word', stack(0), 'r0'),
  ...[0, 1, 2, 3].flatMap((word): Lines => {
    if (word >= words) return [store('word', stack(4 + 4 * word), 0)];
    return [load('word', 'r0', frame(offset + 4 * word)), store('word', stack(4 + 4 * word), 'r0')];
  }),
  pointToMap('r1', heldFd),
  compute('set', 'r2', 'r10'),
  compute('add', 'r2', -heldKeyBytes),
  call('lookUp'),
  jumpIf('r0', '==', 0, 'pass'),
  call('nowNs'),
  load('double', 'r1', shared('until')),
  jumpIf('r0', '>=', 'r1', 'pass'),
];

const copyWords = (from: number, to: number, words: number): Lines =>
  Array.from({ length: words }, (_, word) => word * 4).flatMap((at): Lines => [
    load('word', 'r1', frame(from + at)),
    store('word', frame(to + at), 'r1'),
  ]);

/** Writes a MAC that is in a register, which is lost. */
const putMac = (offset: number, register: Register): Lines => [
  store('word', frame(offset), register),
  compute('shiftRight', register, 32),
  store('half', frame(offset + 4), register),
];

const putOwnMac = (offset: number): Lines => [
  load('double', 'r1', shared('mac')),
  ...putMac(offset, 'r1'),
];

const putAskersMac = (offset: number): Lines => [
  compute('set', 'r1', 'r9'),
  ...putMac(offset, 'r1'),
];

/** The offsets of ethernet.ts and arp.ts, added up. */
const answerArp = (maps: AnsweringMaps): Lines => [
  // A longer frame than the shortest that a wire carries is nothing that a station sends.
  ...demandLength(42, 60),
  load('word', 'r0', frame(14)),
  jumpIf('r0', '!=', networkWord(0x0001_0800), 'pass'),
  ...demandHalf(18, 0x0604),
  ...demandHalf(20, 1),
  ...demandAsker(22),
  load('word', 'r0', frame(28)),
  load('word', 'r1', frame(38)),
  // Who asks for its own address claims it.
  jumpIf('r0', '==', 'r1', 'pass'),
  ...demandHeld(maps, 38, 1),
  ...putAskersMac(0),
  ...putOwnMac(6),
  store('half', frame(20), networkHalf(2)),
  load('word', 'r2', frame(28)),
  ...putOwnMac(22),
  ...copyWords(38, 28, 1),
  ...putAskersMac(32),
  store('word', frame(38), 'r2'),
];

/** Into r0: the sum of the pseudo-header and the message (RFC 4443 §2.3), whose addresses and bytes lie side by side. */
const sumOfMessage: Lines = [
  compute('set', 'r1', 0),
  compute('set', 'r2', 0),
  compute('set', 'r3', 'r7'),
  compute('add', 'r3', 22),
  compute('set', 'r4', 64),
  // Their length and the type ICMPv6, the rest of the pseudo-header.
  compute('set', 'r5', networkHalf(32 + 58)),
  call('sumDifference'),
  ...[1, 2].flatMap((): Lines => [
    compute('set', 'r1', 'r0'),
    compute('shiftRight', 'r1', 16),
    compute('and', 'r0', 0xffff),
    compute('add', 'r0', 'r1'),
  ]),
];

/**
 * A neighbour solicitation of 32 bytes, whose one option is the MAC of who asks (RFC 4861 §4.3), becomes a solicited
 * advertisement that overrides (§4.4).
 *
 * | offset | bytes | what                                                            |
 * |-------:|------:|-----------------------------------------------------------------|
 * |     14 |     4 | version 6, traffic class, flow label                            |
 * |     18 |     4 | payload length, next header 58, hop limit 255                   |
 * |     22 |    16 | source                                                          |
 * |     38 |    16 | destination                                                     |
 * |     54 |     2 | type: 135 solicitation, 136 advertisement; code 0               |
 * |     56 |     2 | checksum                                                        |
 * |     58 |     4 | flags of an advertisement: 0x40 solicited, 0x20 override        |
 * |     62 |    16 | target                                                          |
 * |     78 |     2 | type of the option: 1 source, 2 target; its length, 1           |
 * |     80 |     6 | MAC                                                             |
 */
const answerNdp = (maps: AnsweringMaps): Lines => [
  ...demandLength(86, 86),
  load('byte', 'r0', frame(14)),
  compute('shiftRight', 'r0', 4),
  jumpIf('r0', '!=', 6, 'pass'),
  ...demandHalf(18, 32),
  ...demandHalf(20, 0x3aff),
  ...demandHalf(54, 135 << 8),
  ...demandHalf(78, 0x0101),
  ...demandAsker(80),
  // From nobody, as in duplicate address detection; from a group; or from the target, as a claim.
  load('double', 'r1', frame(22)),
  load('double', 'r2', frame(30)),
  compute('set', 'r0', 'r1'),
  compute('or', 'r0', 'r2'),
  jumpIf('r0', '==', 0, 'pass'),
  load('byte', 'r0', frame(22)),
  jumpIf('r0', '==', 0xff, 'pass'),
  load('double', 'r0', frame(62)),
  compute('xor', 'r1', 'r0'),
  load('double', 'r0', frame(70)),
  compute('xor', 'r2', 'r0'),
  compute('or', 'r1', 'r2'),
  jumpIf('r1', '==', 0, 'pass'),
  ...demandHeld(maps, 62, 4),
  ...sumOfMessage,
  jumpIf('r0', '!=', 0xffff, 'pass'),
  ...putAskersMac(0),
  ...putOwnMac(6),
  store('word', frame(14), networkWord(0x6000_0000)),
  ...copyWords(22, 38, 4),
  ...copyWords(62, 22, 4),
  // The checksum is zero while it is computed.
  store('word', frame(54), networkWord(0x8800_0000)),
  store('word', frame(58), networkWord(0x6000_0000)),
  store('half', frame(78), networkHalf(0x0201)),
  ...putOwnMac(80),
  ...sumOfMessage,
  compute('xor', 'r0', 0xffff),
  store('half', frame(56), 'r0'),
];

/** Counts the answer, and sends it out where the question came in. */
const sendBack: Lines = [
  compute('set', 'r1', 1),
  addAtomically(shared('answers'), 'r1'),
  load('word', 'r1', facts.link),
  compute('set', 'r2', 0),
  call('redirect'),
  exit,
];

const protocol = (name: 'arp' | 'ipv6', lines: Lines): Lines => [
  load('word', 'r0', facts.protocol),
  jumpIf('r0', '!=', networkHalf(etherTypes[name]), `not ${name}`),
  ...lines,
  ...sendBack,
  label(`not ${name}`),
];

export const answering = (maps: AnsweringMaps): readonly Line[] => [
  compute('set', 'r6', 'r1'),
  load('word', 'r0', facts.packetType),
  jumpIf('r0', '>=', otherHost, 'pass'),
  load('word', 'r0', facts.vlanTagPresent),
  jumpIf('r0', '!=', 0, 'pass'),
  pointToValue('r8', maps.leaseFd),
  ...protocol('arp', answerArp(maps)),
  ...protocol('ipv6', answerNdp(maps)),
  label('pass'),
  compute('set', 'r0', verdicts.next),
  exit,
];
