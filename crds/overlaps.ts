import { compareRanges, intersection, type Range } from '../net/range.ts';
import { Heap } from './heap.ts';

/** One range of a pool; the smaller `age`, the older the pool. */
export type Owned = { readonly range: Range; readonly age: number };

/** What a younger pool shares with an older one. */
type Overlap = { readonly older: number; readonly shared: Range };

/**
 * For every pool that shares an address with an older one: which, and what they share (the lowest
 * such place). Keys and `older` are ages. Ranges of one age are never compared.
 *
 * A sweep over the ranges in address order, O(n log n) however many overlap. A new range is
 * compared with the oldest pool that reaches it, and with the younger pools that reach it, each
 * of which is then settled and leaves the sweep.
 */
export function findOverlaps(owned: readonly Owned[]): ReadonlyMap<number, Overlap> {
  const overlaps = new Map<number, Overlap>();
  const settle = (younger: Owned, older: Owned) => {
    if (overlaps.has(younger.age)) return;
    overlaps.set(younger.age, {
      older: older.age,
      shared: intersection(younger.range, older.range),
    });
  };
  const oldest = new Heap<Owned>((a, b) => a.age - b.age);
  const youngest = new Heap<Owned>((a, b) => b.age - a.age);
  for (const next of owned.toSorted((a, b) => compareRanges(a.range, b.range) || a.age - b.age)) {
    const reaches = ({ range }: Owned) =>
      range.family === next.range.family && range.last >= next.range.first;
    // What ends before this range ends before all that follow.
    oldest.dropWhile((top) => !reaches(top));
    const older = oldest.top;
    if (older !== undefined && older.age < next.age) settle(next, older);
    youngest.dropWhile((top) => {
      if (!reaches(top)) return true;
      if (top.age <= next.age) return false;
      settle(top, next);
      return true;
    });
    oldest.push(next);
    youngest.push(next);
  }
  return overlaps;
}
