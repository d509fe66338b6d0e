import { type Address, addressToBytes } from '../../net/address.ts';
import { headerBytes, leastFrameBytes } from './ethernet.ts';
import { checksumOf } from './ndp.ts';

/**
 * The questions that neighbours ask all the time, and their answers, byte by byte. Parsed into objects, looked up by text
 * and formatted again, a question takes several times as long. Whatever is not exactly of this form is left to the
 * codecs: probes, announcements, other options, and what is broken.
 *
 * | ARP: offset in the frame | bytes | question             | answer               |
 * |-------------------------:|------:|----------------------|----------------------|
 * |                        0 |     6 | any                  | MAC of the asker     |
 * |                        6 |     6 | any                  | our MAC              |
 * |                       12 |     8 | 08 06 00 01 08 00 06 04: ARP, Ethernet, IPv4 | the same |
 * |                       20 |     2 | 1                    | 2                    |
 * |                       22 |     6 | MAC of the asker     | our MAC              |
 * |                       28 |     4 | address of the asker | the target           |
 * |                       32 |     6 | any                  | MAC of the asker     |
 * |                       38 |     4 | the target           | address of the asker |
 *
 * | NDP: offset in the frame | bytes | question                 | answer                          |
 * |-------------------------:|------:|--------------------------|---------------------------------|
 * |                        0 |     6 | any                      | MAC of the asker                |
 * |                        6 |     6 | any                      | our MAC                         |
 * |                       12 |     2 | 86 dd                    | the same                        |
 * |                       14 |     4 | 6, then any              | 60 00 00 00                     |
 * |                       18 |     4 | 00 20 3a ff              | the same                        |
 * |                       22 |    16 | address of the asker     | the target                      |
 * |                       38 |    16 | any                      | address of the asker            |
 * |                       54 |     2 | 87 00                    | 88 00                           |
 * |                       56 |     2 | the checksum             | the checksum                    |
 * |                       58 |     4 | any                      | 60 00 00 00: solicited, override |
 * |                       62 |    16 | the target               | the target                      |
 * |                       78 |     2 | 01 01                    | 02 01                           |
 * |                       80 |     6 | MAC of the asker         | our MAC                         |
 */
type Plain = {
  /** Where the asker's MAC is. */
  readonly askerAt: number;
  /** The address that the question is about, as `keyOf` has it. */
  targetKey(question: Uint8Array): string;
  /** The whole frame that tells the asker that the address is at `mac`. */
  answer(question: Uint8Array, mac: Uint8Array): Uint8Array;
};

/** What kind of plain question a frame is; undefined for any other frame, whatever its bytes. */
export function plainOf(frame: Uint8Array): Plain | undefined {
  if (isPlainArp(frame)) return plainArp;
  return isPlainNdp(frame) ? plainNdp : undefined;
}

/** An address as a map key that is made of its bytes alone, which takes a fraction of the time of its text. */
export function keyOf(address: Address): string {
  const bytes = addressToBytes(address);
  return bytes.length === 4 ? shortKey(bytes, 0) : longKey(bytes, 0);
}

export const isAt = (wanted: Uint8Array, bytes: Uint8Array, at: number): boolean => {
  for (let index = 0; index < wanted.length; index++) {
    if (wanted[index] !== bytes[at + index]) return false;
  }
  return true;
};

const arpHead = Uint8Array.of(8, 6, 0, 1, 8, 0, 6, 4, 0);

const plainArp: Plain = {
  askerAt: 22,
  targetKey: (question) => shortKey(question, 38),
  answer: (question, mac) => {
    const answer = new Uint8Array(leastFrameBytes);
    copy({ from: question, at: 22, bytes: 6 }, answer, 0);
    answer.set(mac, 6);
    answer.set(arpHead, 12);
    answer[21] = 2;
    answer.set(mac, 22);
    copy({ from: question, at: 38, bytes: 4 }, answer, 28);
    copy({ from: question, at: 22, bytes: 6 }, answer, 32);
    copy({ from: question, at: 28, bytes: 4 }, answer, 38);
    return answer;
  },
};

/** Who has no address probes, and who asks for its own announces it. */
const isPlainArp = (frame: Uint8Array): boolean =>
  frame.length >= 42 &&
  isAt(arpHead, frame, 12) &&
  frame[21] === 1 &&
  isStationAt(frame, 22) &&
  shortKey(frame, 28) !== nobody &&
  shortKey(frame, 28) !== shortKey(frame, 38);

const ndpFrameBytes = 86;
/** A payload of 32 bytes, next header ICMPv6, hop limit 255. */
const ndpHead = Uint8Array.of(0, 32, 58, 255);
const solicitation = Uint8Array.of(135, 0);
const sourceOption = Uint8Array.of(1, 1);

const plainNdp: Plain = {
  askerAt: 80,
  targetKey: (question) => longKey(question, 62),
  answer: (question, mac) => {
    const answer = new Uint8Array(ndpFrameBytes);
    copy({ from: question, at: 80, bytes: 6 }, answer, 0);
    answer.set(mac, 6);
    answer[12] = 0x86;
    answer[13] = 0xdd;
    answer[14] = 0x60;
    answer.set(ndpHead, 18);
    copy({ from: question, at: 62, bytes: 16 }, answer, 22);
    copy({ from: question, at: 22, bytes: 16 }, answer, 38);
    answer[54] = 136;
    answer[58] = 0x60;
    copy({ from: question, at: 62, bytes: 16 }, answer, 62);
    answer[78] = 2;
    answer[79] = 1;
    answer.set(mac, 80);
    const checksum = checksumOf(answer.subarray(headerBytes));
    answer[56] = checksum >>> 8;
    answer[57] = checksum & 0xff;
    return answer;
  },
};

const isPlainNdp = (frame: Uint8Array): boolean =>
  frame.length >= ndpFrameBytes &&
  frame[12] === 0x86 &&
  frame[13] === 0xdd &&
  (frame[14] ?? 0) >> 4 === 6 &&
  isAt(ndpHead, frame, 18) &&
  isAt(solicitation, frame, 54) &&
  isAt(sourceOption, frame, 78) &&
  isStationAt(frame, 80) &&
  frame[22] !== 0xff &&
  frame[62] !== 0xff &&
  longKey(frame, 22) !== unspecified &&
  longKey(frame, 22) !== longKey(frame, 62) &&
  checksumOf(frame.subarray(headerBytes, ndpFrameBytes)) === 0;

/** Neither a group nor all zeros. */
function isStationAt(frame: Uint8Array, at: number): boolean {
  if (((frame[at] ?? 0) & 1) !== 0) return false;
  for (let index = 0; index < 6; index++) if (frame[at + index] !== 0) return true;
  return false;
}

type Piece = { readonly from: Uint8Array; readonly at: number; readonly bytes: number };

function copy({ from, at, bytes }: Piece, to: Uint8Array, toAt: number): void {
  for (let index = 0; index < bytes; index++) to[toAt + index] = from[at + index] ?? 0;
}

/** A character for every two bytes: four bytes, and sixteen. */
const shortKey = (bytes: Uint8Array, at: number): string =>
  String.fromCharCode(word(bytes, at), word(bytes, at + 2));
const longKey = (bytes: Uint8Array, at: number): string => half(bytes, at) + half(bytes, at + 8);
const half = (bytes: Uint8Array, at: number): string =>
  String.fromCharCode(
    word(bytes, at),
    word(bytes, at + 2),
    word(bytes, at + 4),
    word(bytes, at + 6),
  );
const word = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

const nobody = shortKey(new Uint8Array(4), 0);
const unspecified = longKey(new Uint8Array(16), 0);
