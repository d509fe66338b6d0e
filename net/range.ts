import { type Address, bitsOf, compareAddresses, type Family, formatAddress } from './address.ts';

/** All addresses from `first` to `last`, both included. */
export type Range = { readonly family: Family; readonly first: bigint; readonly last: bigint };

/** The network that a prefix length cuts out around an address; host bits do not matter. */
export function prefixRange({ family, value }: Address, length: number): Range {
  const hostBits = BigInt(bitsOf(family) - length);
  const first = (value >> hostBits) << hostBits;
  return { family, first, last: first + (1n << hostBits) - 1n };
}

export const rangeSize = (range: Range): bigint => range.last - range.first + 1n;

export const rangeContains = (range: Range, address: Address): boolean =>
  range.family === address.family && range.first <= address.value && address.value <= range.last;

/** Whether one of them does. */
export const rangesContain = (ranges: readonly Range[], address: Address): boolean =>
  ranges.some((range) => rangeContains(range, address));

export const rangesOverlap = (a: Range, b: Range): boolean =>
  a.family === b.family && a.first <= b.last && b.first <= a.last;

/** `198.51.100.1-198.51.100.9`, or one address where both ends are the same. */
export function formatRange({ family, first, last }: Range): string {
  const text = formatAddress({ family, value: first });
  return first === last ? text : `${text}-${formatAddress({ family, value: last })}`;
}

/** What two overlapping ranges share. */
export const intersection = (a: Range, b: Range): Range => ({
  family: a.family,
  first: a.first > b.first ? a.first : b.first,
  last: a.last < b.last ? a.last : b.last,
});

/** The same addresses in ranges that are sorted and do not overlap. */
export function joinRanges(ranges: readonly Range[]): Range[] {
  const joined: Range[] = [];
  for (const range of ranges.toSorted(compareRanges)) {
    const last = joined.at(-1);
    if (last === undefined || !rangesOverlap(last, range)) joined.push(range);
    else if (range.last > last.last) joined[joined.length - 1] = { ...last, last: range.last };
  }
  return joined;
}

/** What is left of ranges (sorted, none overlapping) without the holes; sorted, and none overlapping. */
export function subtractRanges(ranges: readonly Range[], holes: readonly Range[]): Range[] {
  let left = [...ranges];
  for (const hole of holes) {
    left = left.flatMap((range) => {
      if (!rangesOverlap(range, hole)) return [range];
      return [
        { ...range, last: hole.first - 1n },
        { ...range, first: hole.last + 1n },
      ].filter(({ first, last }) => first <= last);
    });
  }
  return left;
}

/** By family, then by first address, then by last. */
export function compareRanges(a: Range, b: Range): number {
  const end = (range: Range, value: bigint): Address => ({ family: range.family, value });
  return (
    compareAddresses(end(a, a.first), end(b, b.first)) ||
    compareAddresses(end(a, a.last), end(b, b.last))
  );
}
