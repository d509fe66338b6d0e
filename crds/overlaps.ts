import { intersection, type Range } from '../net/range.ts';

/** What a younger pool shares with an older one. */
type Overlap = { readonly older: number; readonly shared: Range };

type Owned = { readonly range: Range; readonly age: number };

/**
 * Which pools, given oldest first by their ranges (sorted, none overlapping), share an address with an older one, and
 * the lowest such place. One that does is closed and takes nothing from those after it.
 *
 * What is open never overlaps, so that a search by halves finds who has an address: O(n log n) looks at ranges.
 */
export function findOverlaps(pools: readonly (readonly Range[])[]): ReadonlyMap<number, Overlap> {
  const overlaps = new Map<number, Overlap>();
  const open: Readonly<Record<Range['family'], Owned[]>> = { IPv4: [], IPv6: [] };
  for (const [age, ranges] of pools.entries()) {
    const overlap = firstOverlap(ranges, open);
    if (overlap !== undefined) overlaps.set(age, overlap);
    else
      for (const range of ranges) {
        const owned = open[range.family];
        owned.splice(reaching(owned, range.first), 0, { range, age });
      }
  }
  return overlaps;
}

function firstOverlap(
  ranges: readonly Range[],
  open: Readonly<Record<Range['family'], readonly Owned[]>>,
): Overlap | undefined {
  for (const range of ranges) {
    const owned = open[range.family];
    const next = owned[reaching(owned, range.first)];
    if (next !== undefined && next.range.first <= range.last)
      return { older: next.age, shared: intersection(range, next.range) };
  }
  return undefined;
}

/** Where the first of these ranges (in address order) stands that does not end before a value. */
function reaching(owned: readonly Owned[], value: bigint): number {
  let [low, high] = [0, owned.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((owned[middle]?.range.last ?? 0n) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
