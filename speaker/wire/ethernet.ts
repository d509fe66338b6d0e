import { type Mac, macFromBytes, macToBytes } from '../../net/mac.ts';

/**
 * An Ethernet II frame as a packet socket delivers it: no preamble, no checksum.
 *
 * | bytes | what                                                                  |
 * |------:|-----------------------------------------------------------------------|
 * |     6 | destination                                                           |
 * |     6 | source                                                                |
 * |     2 | EtherType; below 0x0600 it is an IEEE 802.3 length instead            |
 * | 46…   | payload; shorter ones are filled up with zeros (IEEE 802.3 §4A.2.3.2)  |
 */
export type Frame = {
  readonly destination: Mac;
  readonly source: Mac;
  readonly etherType: number;
  readonly payload: Uint8Array;
};

export const headerBytes = 14;
/** The shortest frame a wire carries, without its checksum. */
export const leastFrameBytes = 60;
/** The longest payload of an Ethernet without jumbo frames. */
export const mostPayloadBytes = 1500;

export const etherTypes = {
  arp: 0x0806,
  ipv6: 0x86dd,
  /** IEEE Std 802 local experimental EtherType 1: never given to a product, free inside one network. */
  speaker: 0x88b5,
} as const;

/** Below this the two bytes are a length (IEEE 802.3 §3.2.6). */
const leastEtherType = 0x0600;

/**
 * Where the speakers of a segment meet: a locally administered multicast MAC (`03`), then
 * `Mercu` in ASCII. A switch floods it, and a host that has not joined drops it in its NIC.
 */
export const speakersMac: Mac = '03:4d:65:72:63:75';

/** Whether a MAC can be one station's own: neither a group, nor broadcast, nor all zeros. */
export function isStation(mac: Mac): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 0 && mac !== '00:00:00:00:00:00';
}

/**
 * The frame in these bytes; undefined when they are too few or carry a length instead of a type.
 * The payload is a view of the bytes and keeps the padding, since only the type knows its length.
 */
export function parseFrame(bytes: Uint8Array): Frame | undefined {
  const etherType = etherTypeOf(bytes);
  if (etherType === undefined) return undefined;
  return {
    destination: macFromBytes(bytes),
    source: macFromBytes(bytes.subarray(6)),
    etherType,
    payload: bytes.subarray(headerBytes),
  };
}

/** What a frame carries, for those who need no more of its header. */
export function etherTypeOf(bytes: Uint8Array): number | undefined {
  if (bytes.length < headerBytes) return undefined;
  const etherType = ((bytes[12] ?? 0) << 8) | (bytes[13] ?? 0);
  return etherType < leastEtherType ? undefined : etherType;
}

/** The bytes of a frame, filled up with zeros to the shortest one. */
export function formatFrame({ destination, source, etherType, payload }: Frame): Uint8Array {
  const bytes = new Uint8Array(Math.max(leastFrameBytes, headerBytes + payload.length));
  bytes.set(macToBytes(destination), 0);
  bytes.set(macToBytes(source), 6);
  new DataView(bytes.buffer).setUint16(12, etherType);
  bytes.set(payload, headerBytes);
  return bytes;
}
