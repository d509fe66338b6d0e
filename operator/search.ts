import type { Pool } from '../crds/pool.ts';
import {
  type Address,
  compareAddresses,
  type Family,
  formatAddress,
  sameAddress,
} from '../net/address.ts';
import type { Ledger } from './ledger.ts';
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

export type Find =
  | { readonly kind: 'found'; readonly addresses: readonly Address[]; readonly pool: Pool }
  | { readonly kind: 'none'; readonly refusal: Refusal };

/**
 * Addresses for a request that leaves the choice to us: all its families from the first pool that
 * has them; where one family will do, the preferred one from the first pool that has that.
 */
export function findAddresses(request: Request, pools: readonly Pool[], ledger: Ledger): Find {
  let second: Find | undefined;
  let third: Find | undefined;
  for (const pool of pools) {
    const found = request.families.map((family) => findInPool(request, family, pool, ledger));
    const addresses = found.flatMap((some) => some ?? []);
    if (addresses.length === 0) continue;
    const here: Find = { kind: 'found', addresses, pool };
    if (!found.includes(undefined)) return here;
    if (found[0] === undefined) third ??= here;
    else second ??= here;
  }
  if (request.secondOptional && second !== undefined) return second;
  if (request.secondOptional && third !== undefined) return third;
  return { kind: 'none', refusal: explainNone(request, pools, ledger) };
}

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
  const found: Address[] = [];
  for (const address of candidates(request, family, { pool, ledger, found })) {
    if (found.some((other) => sameAddress(other, address))) continue;
    found.push(address);
    if (found.length === request.count) return found;
  }
  return undefined;
}

/** Lazily, and with an eye on what has been `found`: most requests take the first one. */
function* candidates(
  request: Request,
  family: Family,
  { pool, ledger, found }: { pool: Pool; ledger: Ledger; found: readonly Address[] },
): Generator<Address> {
  const { service, terms } = request;
  const fits = (address: Address): boolean =>
    address.family === family &&
    poolContains(pool, address) &&
    ledger.obstacle(address, request) === undefined;
  yield* ledger.ownedBy(service).filter(fits);
  // A namespace that has all it may have can still share what it has.
  const isFull = (): boolean =>
    ledger.isAtQuota(pool, family, service, countAlone(found, service, ledger));
  const mayAdd = (address: Address): boolean =>
    fits(address) && (!isFull() || ledger.isHeldBeside(address, service));
  for (const address of reservedFor(pool, service)) if (mayAdd(address)) yield address;
  if (terms.sharing !== '') {
    const isForIt = (address: Address) => (reservedBy(pool, address) ?? service) === service;
    const sharers = [...ledger.sharedUnder(terms.sharing)];
    const shared = sharers.filter((address) => mayAdd(address) && isForIt(address));
    yield* shared.toSorted(compareAddresses);
  }
  for (const rested of [true, false]) {
    for (const address of freeIn(pool, family, ledger, rested)) {
      if (isFull()) return;
      yield address;
    }
  }
}

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

/** The free addresses of a pool, the lowest first. */
function* freeIn(pool: Pool, family: Family, ledger: Ledger, rested: boolean): Generator<Address> {
  for (const range of rangesForAll(pool)) {
    if (range.family !== family) continue;
    let { first } = range;
    while (first <= range.last) {
      const address = ledger.lowestFree({ ...range, first }, rested);
      if (address === undefined) break;
      first = address.value + 1n;
      // Barred once instead of stepped over by every later search.
      if (avoids(pool, address)) ledger.bar(address);
      else yield address;
    }
  }
}

// A sentence, not a report: the rest of the pools is counted.
const poolsNamed = 3;

function explainNone(request: Request, pools: readonly Pool[], ledger: Ledger): Refusal {
  const exhausted: string[] = [];
  const atQuota: string[] = [];
  for (const pool of pools) {
    if (request.families.some((family) => ledger.isAtQuota(pool, family, request.service))) {
      atQuota.push(describeQuota(pool, request));
      continue;
    }
    const size = poolSize(pool);
    const used = ledger.inUse(pool.name);
    const present = request.families.filter((family) => size[family] > 0n);
    const allPresent = present.length === request.families.length;
    if (!allPresent && !request.secondOptional) continue;
    const full = present.map((family) => `${used[family]} of ${size[family]} ${family}`);
    if (full.length > 0)
      exhausted.push(`pool ${pool.name}: ${full.join(' and ')} addresses in use`);
  }
  if (atQuota.length > 0) return refusal('QuotaReached', listed([...atQuota, ...exhausted]));
  if (exhausted.length > 0) return refusal('PoolExhausted', listed(exhausted));
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
