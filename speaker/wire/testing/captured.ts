/**
 * For tests: frames that Linux and arping sent on a veth pair between 198.51.100.10 at
 * 02:00:00:00:00:0a and 198.51.100.11 at 02:00:00:00:00:0b, as `tcpdump -xx` printed them.
 */
const bytes = (...hex: readonly string[]): Uint8Array =>
  Uint8Array.from(Buffer.from(hex.join('').replaceAll(' ', ''), 'hex'));

export const captured = {
  /** The kernel's neighbour table asks for .11. */
  question: bytes(
    'ffff ffff ffff 0200 0000 000a 0806 0001',
    '0800 0604 0001 0200 0000 000a c633 640a',
    '0000 0000 0000 c633 640b',
  ),
  /** The kernel of .11 answers. */
  answer: bytes(
    '0200 0000 000a 0200 0000 000b 0806 0001',
    '0800 0604 0002 0200 0000 000b c633 640b',
    '0200 0000 000a c633 640a',
  ),
  /** Neighbour unreachability detection: the kernel of .11 asks .10 whether it is still there. */
  unicastQuestion: bytes(
    '0200 0000 000a 0200 0000 000b 0806 0001',
    '0800 0604 0001 0200 0000 000b c633 640b',
    '0000 0000 0000 c633 640a',
  ),
  /** `arping -U`: the request form, with broadcast for a target MAC. */
  gratuitousRequest: bytes(
    'ffff ffff ffff 0200 0000 000a 0806 0001',
    '0800 0604 0001 0200 0000 000a c633 640a',
    'ffff ffff ffff c633 640a',
  ),
  /** `arping -A`: the reply form. */
  gratuitousReply: bytes(
    'ffff ffff ffff 0200 0000 000a 0806 0001',
    '0800 0604 0002 0200 0000 000a c633 640a',
    '0200 0000 000a c633 640a',
  ),
  /** `arping -D`: is .11 free? */
  probe: bytes(
    'ffff ffff ffff 0200 0000 000a 0806 0001',
    '0800 0604 0001 0200 0000 000a 0000 0000',
    'ffff ffff ffff c633 640b',
  ),
  /** The kernel of .11 defends it. */
  defence: bytes(
    '0200 0000 000a 0200 0000 000b 0806 0001',
    '0800 0604 0002 0200 0000 000b c633 640b',
    '0200 0000 000a 0000 0000',
  ),
} as const;
