import { type Address, addressFromBytes, addressToBytes } from '../../net/address.ts';
import { type Mac, macFromBytes, macToBytes } from '../../net/mac.ts';

/** Somebody wants to know who has `target`. */
export type Solicitation = {
  readonly kind: 'solicitation';
  /** `::` in a probe of duplicate address detection. */
  readonly source: Address;
  readonly destination: Address;
  readonly target: Address;
  /** The source's, where it says so; a probe never does. */
  readonly mac: Mac | undefined;
};

/** Somebody says that `target` is at `mac`, or only that it is there. */
export type Advertisement = {
  readonly kind: 'advertisement';
  readonly source: Address;
  readonly destination: Address;
  readonly target: Address;
  readonly mac: Mac | undefined;
  readonly router: boolean;
  /** It answers a question, and so proves that both directions work. */
  readonly solicited: boolean;
  /** It is to replace what the hearer believed before. */
  readonly override: boolean;
};

/**
 * Neighbor solicitations and advertisements of IPv6: an IPv6 header (RFC 8200 §3), ICMPv6 (RFC 4443 §2.1) in it,
 * and the message (RFC 4861 §4.3, §4.4).
 *
 * | offset | bytes | what                                                              |
 * |-------:|------:|-------------------------------------------------------------------|
 * |      0 |     4 | version: 6 in the first four bits; traffic class, flow label      |
 * |      4 |     2 | payload length: what follows the header, the Ethernet's padding not |
 * |      6 |     1 | next header: 58, ICMPv6                                           |
 * |      7 |     1 | hop limit: 255, or a router has passed it on                      |
 * |      8 |    16 | source                                                            |
 * |     24 |    16 | destination                                                       |
 * |     40 |     1 | type: 135 solicitation, 136 advertisement                         |
 * |     41 |     1 | code: 0                                                           |
 * |     42 |     2 | checksum, over a pseudo-header too (RFC 8200 §8.1)                |
 * |     44 |     1 | advertisement: 0x80 router, 0x40 solicited, 0x20 override         |
 * |     45 |     3 | reserved                                                          |
 * |     48 |    16 | target                                                            |
 * |     64 |     … | options, each: type, length in units of 8 bytes, value            |
 *
 * | option | length | value                                     |
 * |-------:|-------:|-------------------------------------------|
 * |      1 |      1 | MAC of the source, in a solicitation      |
 * |      2 |      1 | MAC of the target, in an advertisement    |
 */
export type Ndp = Solicitation | Advertisement;

const headerBytes = 40;
const leastBytes = 64;
const icmpV6 = 58;
const hopLimit = 255;
const types = { solicitation: 135, advertisement: 136 } as const;
const options = { solicitation: 1, advertisement: 2 } as const;
const optionBytes = 8;
const routerFlag = 0x80;
const solicitedFlag = 0x40;
const overrideFlag = 0x20;

/** Who has no address yet (RFC 4291 §2.5.2). */
const unspecified: Address = { family: 'IPv6', value: 0n };

/** Every host of the link listens to it (RFC 4291 §2.7.1). */
export const allNodes: Address = { family: 'IPv6', value: (0xff02n << 112n) | 1n };

/** The group that whoever has this address listens to: questions go there (RFC 4291 §2.7.1). */
export const solicitedNodeGroup = ({ value }: Address): Address => ({
  family: 'IPv6',
  value: (0xff02n << 112n) | 0x1_ff00_0000n | (value & 0xff_ffffn),
});

/** Where Ethernet carries a group: 33:33 and its last four bytes (RFC 2464 §7). */
export const groupMac = (group: Address): Mac =>
  macFromBytes(Uint8Array.of(0x33, 0x33, ...addressToBytes(group).subarray(12)));

export const isUnspecified = ({ value }: Address): boolean => value === 0n;
const isGroup = ({ value }: Address): boolean => value >> 120n === 0xffn;

/** The message in this packet; what follows it is padding. Whatever RFC 4861 §7.1 has a host discard is undefined. */
export function parseNdp(packet: Uint8Array): Ndp | undefined {
  const kind = kindOf(packet);
  if (kind === undefined) return undefined;
  const end = headerBytes + (packet[4] ?? 0) * 256 + (packet[5] ?? 0);
  if (end < leastBytes || end > packet.length) return undefined;
  const whole = packet.subarray(0, end);
  if (checksumOf(whole) !== 0) return undefined;
  const source = addressFromBytes(whole.subarray(8, 24));
  const destination = addressFromBytes(whole.subarray(24, 40));
  const target = addressFromBytes(whole.subarray(48, 64));
  const mac = macOption(whole.subarray(leastBytes), options[kind]);
  if (source === undefined || destination === undefined || target === undefined) return undefined;
  if (mac === 'malformed' || isGroup(source) || isGroup(target)) return undefined;
  if (kind === 'solicitation') {
    // Whoever probes has no address yet that the MAC could belong to, and asks the group (RFC 4861 §7.1.1).
    const isFaulty = mac !== undefined || destination.value !== solicitedNodeGroup(target).value;
    if (isUnspecified(source) && isFaulty) return undefined;
    return { kind, source, destination, target, mac };
  }
  const flags = whole[44] ?? 0;
  const solicited = (flags & solicitedFlag) !== 0;
  // Nobody answers to all (RFC 4861 §7.1.2).
  if (solicited && isGroup(destination)) return undefined;
  const router = (flags & routerFlag) !== 0;
  const override = (flags & overrideFlag) !== 0;
  return { kind, source, destination, target, mac, router, solicited, override };
}

export function formatNdp(ndp: Ndp): Uint8Array {
  const { kind, source, destination, target, mac } = ndp;
  const bytes = new Uint8Array(leastBytes + (mac === undefined ? 0 : optionBytes));
  const view = new DataView(bytes.buffer);
  bytes[0] = 0x60;
  view.setUint16(4, bytes.length - headerBytes);
  bytes[6] = icmpV6;
  bytes[7] = hopLimit;
  bytes.set(addressToBytes(source), 8);
  bytes.set(addressToBytes(destination), 24);
  bytes[40] = types[kind];
  if (ndp.kind === 'advertisement') bytes[44] = flagsOf(ndp);
  bytes.set(addressToBytes(target), 48);
  if (mac !== undefined) {
    bytes.set([options[kind], 1], leastBytes);
    bytes.set(macToBytes(mac), leastBytes + 2);
  }
  view.setUint16(42, checksumOf(bytes));
  return bytes;
}

/** Has anybody this address? Who is about to use it asks the group, and has none yet (RFC 4862 §5.4.2). */
export const probeFor = (address: Address): Solicitation => ({
  kind: 'solicitation',
  source: unspecified,
  destination: solicitedNodeGroup(address),
  target: address,
  mac: undefined,
});

/** Whether this is one of the two messages, and no router has passed it on. */
function kindOf(packet: Uint8Array): Ndp['kind'] | undefined {
  const isNeighbours =
    packet.length >= leastBytes &&
    (packet[0] ?? 0) >> 4 === 6 &&
    packet[6] === icmpV6 &&
    packet[7] === hopLimit &&
    packet[41] === 0;
  if (!isNeighbours) return undefined;
  if (packet[40] === types.solicitation) return 'solicitation';
  return packet[40] === types.advertisement ? 'advertisement' : undefined;
}

const flagsOf = ({ router, solicited, override }: Advertisement): number =>
  (router ? routerFlag : 0) | (solicited ? solicitedFlag : 0) | (override ? overrideFlag : 0);

/** The MAC in the first option of this type; options that nobody here knows are passed over. */
function macOption(bytes: Uint8Array, wanted: number): Mac | undefined | 'malformed' {
  let mac: Mac | undefined;
  for (let at = 0; at < bytes.length;) {
    const length = (bytes[at + 1] ?? 0) * 8;
    if (length === 0 || at + length > bytes.length) return 'malformed';
    if (bytes[at] === wanted && mac === undefined) {
      if (length !== optionBytes) return 'malformed';
      mac = macFromBytes(bytes.subarray(at + 2));
    }
    at += length;
  }
  return mac;
}

/**
 * The Internet checksum (RFC 1071) over source, destination, length, next header and the message; 0 where the
 * message carries the right one already.
 */
export function checksumOf(packet: Uint8Array): number {
  // An odd last byte counts as if a zero followed it.
  let sum = packet.length - headerBytes + icmpV6;
  for (let at = 8; at < packet.length; at += 2) {
    sum += (packet[at] ?? 0) * 256 + (packet[at + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
