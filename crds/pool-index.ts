import type { Address, Family } from '../net/address.ts';
import { type Range, rangeContains } from '../net/range.ts';
import type { Pool } from './pool.ts';

type Entry = { readonly range: Range; readonly pool: Pool };

/** Finds the pool around an address in logarithmic time. Of pools that overlap, the open one is meant. */
export function indexPools(pools: readonly Pool[]): (address: Address) => Pool | undefined {
  const entries = (open: boolean): readonly Entry[] =>
    pools
      .filter(({ closed }) => (closed === undefined) === open)
      .flatMap((pool) => pool.ranges.map((range) => ({ range, pool })));
  const open = { IPv4: sorted(entries(true), 'IPv4'), IPv6: sorted(entries(true), 'IPv6') };
  // Closed pools are few, and may overlap: no order finds them all.
  const closed = entries(false);
  return (address) => {
    const candidate = lastAtOrBelow(open[address.family], address.value);
    if (candidate !== undefined && rangeContains(candidate.range, address)) return candidate.pool;
    return closed.find(({ range }) => rangeContains(range, address))?.pool;
  };
}

const sorted = (entries: readonly Entry[], family: Family): readonly Entry[] =>
  entries
    .filter(({ range }) => range.family === family)
    .toSorted((a, b) => (a.range.first < b.range.first ? -1 : 1));

/** The entry with the greatest first address that is not above the value. */
function lastAtOrBelow(entries: readonly Entry[], value: bigint): Entry | undefined {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle]?.range.first ?? 0n) <= value) low = middle + 1;
    else high = middle;
  }
  return entries[low - 1];
}
