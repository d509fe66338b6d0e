import { hashText } from './hash.ts';
import type { Digest } from './message.ts';

export const emptyDigest: Digest = { count: 0, sum: 0 };

/** A claim's share of the sum. */
const share = (address: string, term: number): number => hashText(`${address}@${term}`);

export const withClaim = (digest: Digest, address: string, term: number): Digest => ({
  count: digest.count + 1,
  sum: (digest.sum ^ share(address, term)) >>> 0,
});

export const withoutClaim = (digest: Digest, address: string, term: number): Digest => ({
  count: digest.count - 1,
  sum: (digest.sum ^ share(address, term)) >>> 0,
});

export const sameDigest = (a: Digest, b: Digest): boolean => a.count === b.count && a.sum === b.sum;
