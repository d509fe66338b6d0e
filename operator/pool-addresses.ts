import type { Pool, Sighting } from '../crds/pool.ts';
import { type Address, type Family, formatAddress, sameAddress } from '../net/address.ts';
import {
  type Range,
  rangeContains,
  rangesContain,
  rangeSize,
  subtractRanges,
} from '../net/range.ts';

/** Whether an address belongs to a pool: in one of its ranges, and neither avoided, excluded, occupied nor quarantined. */
export const poolContains = (pool: Pool, address: Address): boolean =>
  rangesContain(pool.ranges, address) &&
  !avoids(pool, address) &&
  !excludes(pool, address) &&
  occupierOf(pool, address) === undefined &&
  quarantineOf(pool, address) === undefined;

/** Whether an address of a pool is one that it never hands out. */
export const excludes = ({ excluded = [] }: Pool, address: Address): boolean =>
  rangesContain(excluded, address);

/** Who in the cluster has an address of a pool itself. */
export const occupierOf = ({ occupied }: Pool, address: Address): string | undefined =>
  occupied?.find(({ range }) => rangeContains(range, address))?.by;

/** Which machine outside the cluster keeps an address of a pool from being handed out. */
export const quarantineOf = ({ foreign }: Pool, address: Address): Sighting | undefined =>
  foreign?.quarantined.get(formatAddress(address));

/** Which machine outside the cluster answers for an address of a pool that we use, too. */
export const contestOf = ({ foreign }: Pool, address: Address): Sighting | undefined =>
  foreign?.contested.get(formatAddress(address));

/** What is reserved in a pool for a Service (`namespace/name`). */
export const reservedFor = ({ reservations }: Pool, service: string): readonly Address[] =>
  reservations?.get(service) ?? none;

const none: readonly Address[] = [];

/** For whom an address of a pool is reserved. */
export function reservedBy({ reservations }: Pool, address: Address): string | undefined {
  for (const [service, addresses] of reservations ?? [])
    if (addresses.some((one) => sameAddress(one, address))) return service;
  return undefined;
}

const free = new WeakMap<Pool, readonly Range[]>();

/** The ranges of a pool without what is withheld or contested, and without what is reserved for somebody. */
export function rangesForAll(pool: Pool): readonly Range[] {
  const known = free.get(pool);
  if (known !== undefined) return known;
  const reserved = [...(pool.reservations?.values() ?? [])].flat().map(rangeOf);
  const contested = rangesOf(pool.foreign?.contested);
  const ranges = subtractRanges(pool.ranges, [...withheld(pool), ...contested, ...reserved]);
  free.set(pool, ranges);
  return ranges;
}

/** What nobody gets, whoever asks. */
const withheld = ({ excluded = [], occupied = [], foreign }: Pool): readonly Range[] => [
  ...excluded,
  ...occupied.map(({ range }) => range),
  ...rangesOf(foreign?.quarantined),
];

const rangesOf = (sightings: ReadonlyMap<string, Sighting> = new Map()): readonly Range[] =>
  [...sightings.values()].map(({ address }) => rangeOf(address));

const rangeOf = ({ family, value }: Address): Range => ({ family, first: value, last: value });

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
  for (const range of subtractRanges(pool.ranges, withheld(pool))) {
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
