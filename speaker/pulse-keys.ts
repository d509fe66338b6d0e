import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** What seals pulses where no key is given: it tells clusters apart from noise, not friend from foe. */
const wellKnown = 'mercurylb: pulses without a key';
/** Shorter ones are guessed; 16 random characters are 80 bits at the least. */
const leastCharacters = 16;

export type PulseKeys = readonly [Uint8Array, ...Uint8Array[]];

/** Every key becomes 32 bytes, the length of the hash, which RFC 2104 §3 asks for: what is typed may be shorter. */
const stretch = (text: string): Uint8Array => createHash('sha256').update(text).digest();

export const withoutKey = (): PulseKeys => [stretch(wellKnown)];

/** The keys in a file, one a line; the first one signs. Throws saying which line is wrong. */
export function readPulseKeys(path: string): PulseKeys {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.trim());
  const short = lines.findIndex((line) => line !== '' && line.length < leastCharacters);
  if (short >= 0) {
    throw new Error(
      `reading the pulse keys in ${path}: line ${short + 1} has fewer than ${leastCharacters} characters. ` +
        'Write random text, for instance what `openssl rand -hex 32` prints.',
    );
  }
  const [first, ...others] = lines.filter((line) => line !== '').map(stretch);
  if (first === undefined) {
    throw new Error(`reading the pulse keys in ${path}: the file is empty. Write one key a line.`);
  }
  return [first, ...others];
}
