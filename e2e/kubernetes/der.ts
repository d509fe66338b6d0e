/**
 * DER, as much as a certificate takes (ITU-T X.690). Every value is tag, length, content:
 *
 *   tag     1     0x30 for a sequence, 0xa3 for the field [3] of one, …
 *   length  1     below 128; else 0x80 + how many bytes of length follow
 *           0–4   the length, big-endian
 *   content
 */
function value(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  if (content.length < 0x80) return Buffer.concat([Buffer.of(tag, content.length), content]);
  const length = Buffer.from(evenHex(content.length), 'hex');
  return Buffer.concat([Buffer.of(tag, 0x80 | length.length), length, content]);
}

function evenHex(number: number): string {
  const hex = number.toString(16);
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}

export const yes = value(0x01, Buffer.of(0xff));
/** Big-endian and not negative: the first bit must be 0. */
export const integer = (bytes: Uint8Array): Buffer => value(0x02, bytes);
/** `unused`: how many of the last bits do not count. */
export const bits = (bytes: Uint8Array, unused = 0): Buffer =>
  value(0x03, Buffer.of(unused), bytes);
export const octets = (...contents: readonly Uint8Array[]): Buffer => value(0x04, ...contents);
export const text = (content: string): Buffer => value(0x0c, Buffer.from(content));
export const sequence = (...contents: readonly Uint8Array[]): Buffer => value(0x30, ...contents);
export const set = (...contents: readonly Uint8Array[]): Buffer => value(0x31, ...contents);
/** The field [n] of a sequence, around a whole value. */
export const field = (n: number, content: Uint8Array): Buffer => value(0xa0 | n, content);
/** The field [n], its content written without a tag of its own. */
export const plainField = (n: number, content: Uint8Array): Buffer => value(0x80 | n, content);

/** In seconds; UTCTime counts to the end of 2049 (RFC 5280 §4.1.2.5.1). */
export const time = (moment: Date): Buffer =>
  value(0x17, Buffer.from(`${moment.toISOString().slice(2, 19).replace(/[-T:]/g, '')}Z`));

/** An object identifier, such as 2.5.4.3: the first two numbers share a byte, the others are in base 128. */
export function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...others] = dotted.split('.').map(Number);
  const bytes = others.flatMap((number) => {
    const digits = [number % 0x80];
    for (let rest = number >>> 7; rest > 0; rest >>>= 7) digits.unshift(0x80 | (rest % 0x80));
    return digits;
  });
  return value(0x06, Buffer.of(first * 40 + second, ...bytes));
}
