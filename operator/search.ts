import type { Pool } from '../crds/pool.ts';
import {
  type Address,
  compareAddresses,
  type Family,
  formatAddress,
  sameAddress,
} from '../net/address.ts';
import type { Range } from '../net/range.ts';
import type { Ledger } from './ledger.ts';
import { grantNodes, isNodePool, type NodePool, type Surroundings } from './node-addresses.ts';
import {
  avoids,
  poolContains,
  poolSize,
  rangesForAll,
  reservedBy,
  reservedFor,
} from './pool-addresses.ts';
import { type Refusal, refusal } from './reasons.ts';
import type { Request } from './request.ts';
import { countOthers } from './strangers.ts';

export type Find =
  | {
      readonly kind: 'found';
      readonly addresses: readonly Address[];
      readonly pool: Pool;
      /** What is lacking all the same. */
      readonly refusal?: Refusal;
    }
  | { readonly kind: 'none'; readonly refusal: Refusal };

/**
 * Addresses for a request that leaves the choice to us: all its families from the first pool that
 * has them; where one family will do, the preferred one from the first pool that has that.
 */
export function findAddresses(
  request: Request,
  pools: readonly Pool[],
  around: Surroundings,
): Find {
  let second: Find | undefined;
  let third: Find | undefined;
  for (const pool of pools) {
    const here = findHere(request, pool, around);
    if (here === undefined) continue;
    if (here.lacking === undefined) return here.find;
    if (here.lacking === request.families[0]) third ??= here.find;
    else second ??= here.find;
  }
  if (request.secondOptional && second !== undefined) return second;
  if (request.secondOptional && third !== undefined) return third;
  return { kind: 'none', refusal: explainNone(request, pools, around) };
}

/** What one pool has of all the families, and the first family of which it has not enough. */
function findHere(
  request: Request,
  pool: Pool,
  around: Surroundings,
): { readonly find: Find; readonly lacking: Family | undefined } | undefined {
  if (isNodePool(pool)) return findOnNodes(request, pool, around);
  let addresses: readonly Address[] = [];
  let lacking: Family | undefined;
  for (const family of request.families) {
    const found = findInPool(request, family, pool, around.ledger);
    if (found === undefined) lacking ??= family;
    else addresses = addresses.length === 0 ? found : [...addresses, ...found];
  }
  return addresses.length === 0 ? undefined : { find: { kind: 'found', addresses, pool }, lacking };
}

function findOnNodes(
  request: Request,
  pool: NodePool,
  around: Surroundings,
): ReturnType<typeof findHere> {
  const grant = grantNodes(request, pool, around);
  if (grant.addresses.length === 0) return undefined;
  const given = grant.addresses.map(({ family }) => family);
  const lacking = request.families.find((family) => !given.includes(family));
  return { find: { kind: 'found', pool, ...grant }, lacking };
}

/** What one pool has of one family for a request, as far as it has been found. */
type Search = {
  readonly request: Request;
  readonly family: Family;
  readonly pool: Pool;
  readonly ledger: Ledger;
  found: readonly Address[];
};

/**
 * As many addresses of a family as the request needs, all of one pool; undefined where there are fewer. In this order:
 * those that the Service has already, those reserved for it, those that it may share, the lowest that are free and
 * rested, the lowest that are free.
 */
export function findInPool(
  request: Request,
  family: Family,
  pool: Pool,
  ledger: Ledger,
): readonly Address[] | undefined {
  const search: Search = { request, family, pool, ledger, found: [] };
  takeOwn(search);
  takeReserved(search);
  takeShared(search);
  takeFree(search, true);
  takeFree(search, false);
  return isMet(search) ? search.found : undefined;
}

const isMet = ({ request, found }: Search): boolean => found.length >= request.count;

/** Whether the namespace has all that it may have of the pool. */
const isFull = ({ request, family, pool, ledger, found }: Search): boolean =>
  pool.allocation?.maxPerNamespace !== undefined &&
  ledger.isAtQuota(pool, family, request.service, countAlone(found, request.service, ledger));

/** How many of these addresses no other Service of its namespace holds. */
const countAlone = (addresses: readonly Address[], service: string, ledger: Ledger): number =>
  addresses.filter((address) => !ledger.isHeldBeside(address, service)).length;

/** Whether a namespace would have more of a pool than it may if the Service had these addresses in place of its own. */
export function exceedsQuota(
  addresses: readonly Address[],
  pool: Pool,
  service: string,
  ledger: Ledger,
): boolean {
  // What it has already is no step over the limit, and takes room all the same.
  const kept = addresses.filter((address) => ledger.owns(service, address));
  for (const address of addresses) {
    if (kept.includes(address) || ledger.isHeldBeside(address, service)) continue;
    const { family } = address;
    const same = kept.filter((one) => one.family === family);
    if (ledger.isAtQuota(pool, family, service, countAlone(same, service, ledger))) return true;
    kept.push(address);
  }
  return false;
}

const fits = ({ request, family, pool, ledger }: Search, address: Address): boolean =>
  address.family === family &&
  poolContains(pool, address) &&
  ledger.obstacle(address, request) === undefined;

/** A namespace that has all it may have can still share what it has. */
const mayCount = (search: Search, address: Address): boolean =>
  !isFull(search) || search.ledger.isHeldBeside(address, search.request.service);

function take(search: Search, address: Address): void {
  const { found } = search;
  if (isMet(search) || found.some((other) => sameAddress(other, address))) return;
  // The ledger keeps this list. One that is pushed to reserves room for sixteen more.
  search.found = found.length === 0 ? [address] : [...found, address];
}

function takeOwn(search: Search): void {
  const { request, ledger } = search;
  for (const address of ledger.ownedBy(request.service))
    if (fits(search, address)) take(search, address);
}

function takeReserved(search: Search): void {
  for (const address of reservedFor(search.pool, search.request.service))
    if (fits(search, address) && mayCount(search, address)) take(search, address);
}

function takeShared(search: Search): void {
  const { request, ledger } = search;
  if (request.terms.sharing === '' || isMet(search)) return;
  const shared = [...ledger.sharedUnder(request.terms.sharing)];
  for (const address of shared.filter((each) => fits(search, each)).toSorted(compareAddresses))
    if (isFor(search, address) && mayCount(search, address)) take(search, address);
}

/** Not reserved for somebody else. */
const isFor = ({ request: { service }, pool }: Search, address: Address): boolean =>
  (reservedBy(pool, address) ?? service) === service;

function takeFree(search: Search, rested: boolean): void {
  for (const range of rangesForAll(search.pool))
    if (range.family === search.family) takeFreeIn(search, range, rested);
}

/** The lowest first. */
function takeFreeIn(search: Search, range: Range, rested: boolean): void {
  const { pool, ledger } = search;
  let before: Address | undefined;
  while (!isMet(search) && !isFull(search)) {
    const address = ledger.lowestFree(range, rested, before);
    if (address === undefined) return;
    // Barred once instead of stepped over by every later search.
    if (avoids(pool, address)) ledger.bar(address);
    else take(search, address);
    before = address;
  }
}

// A sentence, not a report: the rest of the pools is counted.
const poolsNamed = 3;

function explainNone(request: Request, pools: readonly Pool[], around: Surroundings): Refusal {
  const { ledger } = around;
  const exhausted: string[] = [];
  const atQuota: string[] = [];
  const byNodes: Refusal[] = [];
  for (const pool of pools) {
    if (isNodePool(pool)) {
      const { refusal: why } = grantNodes(request, pool, around);
      if (why !== undefined) byNodes.push(why);
      continue;
    }
    if (request.families.some((family) => ledger.isAtQuota(pool, family, request.service))) {
      atQuota.push(describeQuota(pool, request));
      continue;
    }
    const size = poolSize(pool);
    const used = ledger.inUse(pool.name);
    // Nothing of a family may be left although there are ranges of it: all is excluded, or somebody's already.
    const present = request.families.filter((family) =>
      pool.ranges.some((range) => range.family === family),
    );
    const allPresent = present.length === request.families.length;
    if (!allPresent && !request.secondOptional) continue;
    const full = present.map((family) => `${used[family]} of ${size[family]} ${family}`);
    const others = countOthers(pool.foreign?.quarantined.size ?? 0);
    if (full.length > 0)
      exhausted.push(`pool ${pool.name}: ${full.join(' and ')} addresses in use${others}`);
  }
  if (atQuota.length > 0) return refusal('QuotaReached', listed([...atQuota, ...exhausted]));
  const details = byNodes.map(({ detail }) => detail);
  if (exhausted.length > 0) return refusal('PoolExhausted', listed([...exhausted, ...details]));
  const [first] = byNodes;
  if (first !== undefined) return refusal(first.reason, listed(details));
  const lacking = pools.map((pool) => pool.name);
  const families = request.families.join(' and ');
  return refusal('PoolLacksFamily', `no ${families} range in pool ${listed(lacking)}`);
}

export const describeQuota = ({ name, allocation }: Pool, { namespace }: Request): string =>
  `namespace ${namespace} has the ${allocation?.maxPerNamespace ?? 0} addresses that it may have of pool ${name}`;

function listed(parts: readonly string[]): string {
  const rest = parts.length - poolsNamed;
  const named = parts.slice(0, poolsNamed).join(', ');
  return rest > 0 ? `${named} and ${rest} more` : named;
}

export const formatAddresses = (addresses: readonly Address[]): string =>
  addresses.map(formatAddress).join(' and ');
