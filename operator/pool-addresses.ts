import type { Pool } from '../crds/pool.ts';
import type { Address, Family } from '../net/address.ts';
import { type Range, rangeContains, rangeSize } from '../net/range.ts';

/** Whether an address belongs to a pool: in one of its ranges, and not one that it avoids. */
export const poolContains = (pool: Pool, address: Address): boolean =>
  pool.ranges.some((range) => rangeContains(range, address)) && !avoids(pool, address);

/**
 * avoidBuggyIPs: some home routers take IPv4 addresses that end in .0 or .255 for a network's or
 * a broadcast address and drop their packets.
 */
export function avoids({ avoidBuggyIPs }: Pool, { family, value }: Address): boolean {
  if (!avoidBuggyIPs || family !== 'IPv4') return false;
  const ending = value & 0xffn;
  return ending === 0n || ending === 255n;
}

/** How many addresses of each family belong to a pool. */
export function poolSize(pool: Pool): Readonly<Record<Family, bigint>> {
  const size = { IPv4: 0n, IPv6: 0n };
  for (const range of pool.ranges) {
    size[range.family] += rangeSize(range) - (pool.avoidBuggyIPs ? avoidedIn(range) : 0n);
  }
  return size;
}

/** How many addresses of a range end in .0 or .255. */
function avoidedIn({ family, first, last }: Range): bigint {
  if (family !== 'IPv4') return 0n;
  const endingIn0 = ((last + 256n) >> 8n) - ((first + 255n) >> 8n);
  const endingIn255 = ((last + 1n) >> 8n) - (first >> 8n);
  return endingIn0 + endingIn255;
}
