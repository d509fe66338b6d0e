/**
 * For tests: what the kernels of 2001:db8::a at 02:00:00:00:00:0a and 2001:db8::b at 02:00:00:00:00:0b said to each
 * other on a veth pair when one pinged the other, as `tcpdump -xx` printed it.
 */
const bytes = (...hex: readonly string[]): Uint8Array =>
  Uint8Array.from(Buffer.from(hex.join('').replaceAll(' ', ''), 'hex'));

export const capturedSolicitation = {
  question: bytes(
    '3333 ff00 000b 0200 0000 000a 86dd 6000',
    '0000 0020 3aff 2001 0db8 0000 0000 0000',
    '0000 0000 000a ff02 0000 0000 0000 0000',
    '0001 ff00 000b 8700 1c03 0000 0000 2001',
    '0db8 0000 0000 0000 0000 0000 000b 0101',
    '0200 0000 000a',
  ),
  answer: bytes(
    '0200 0000 000a 0200 0000 000b 86dd 6000',
    '0000 0020 3aff 2001 0db8 0000 0000 0000',
    '0000 0000 000b 2001 0db8 0000 0000 0000',
    '0000 0000 000a 8800 8a4d 6000 0000 2001',
    '0db8 0000 0000 0000 0000 0000 000b 0201',
    '0200 0000 000b',
  ),
} as const;
