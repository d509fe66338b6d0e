import type { Digest } from './message.ts';

export const emptyDigest: Digest = { count: 0, sum: 0 };

/** FNV-1a over the text with a final mix: a claim's share of the sum. */
function share(address: string, term: number): number {
  const text = `${address}@${term}`;
  let bits = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    bits = Math.imul(bits ^ text.charCodeAt(index), 0x01000193);
  }
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  return (bits ^ (bits >>> 13)) >>> 0;
}

export const withClaim = (digest: Digest, address: string, term: number): Digest => ({
  count: digest.count + 1,
  sum: (digest.sum ^ share(address, term)) >>> 0,
});

export const withoutClaim = (digest: Digest, address: string, term: number): Digest => ({
  count: digest.count - 1,
  sum: (digest.sum ^ share(address, term)) >>> 0,
});

export const sameDigest = (a: Digest, b: Digest): boolean => a.count === b.count && a.sum === b.sum;
