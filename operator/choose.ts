import type { Pool } from '../crds/pool.ts';
import { quote } from '../crds/problem.ts';
import { matches } from '../crds/selector.ts';
import { type Address, formatAddress } from '../net/address.ts';
import {
  excludes,
  occupierOf,
  poolContains,
  quarantineOf,
  reservedBy,
  reservedFor,
} from './pool-addresses.ts';
import type { Holding } from './ledger.ts';
import { type Refusal, refusal } from './reasons.ts';
import type { Request } from './request.ts';
import { rosterOf } from './roster.ts';
import { describeSighting } from './strangers.ts';

type Labels = Readonly<Record<string, string>>;

/** Pools that may serve a request, in the order in which they are tried. */
type Choice =
  | { readonly kind: 'pools'; readonly pools: readonly Pool[] }
  | { readonly kind: 'refuse'; readonly refusal: Refusal };

/**
 * Which pools may serve a request, and in which order. Asked for by address or by name it is that
 * one; otherwise those with a serviceAllocation that admits the Service, by priority, then those
 * for everybody. Equals go by name, so that the same objects always give the same answer.
 */
export function choosePools(
  request: Request,
  pools: readonly Pool[],
  namespaceLabels: Labels | undefined,
): Choice {
  const named = namePool(request, pools);
  if (named === undefined) return automatic(request, pools, namespaceLabels);
  if ('reason' in named) return refuse(named);
  if (named.closed !== undefined) {
    return refuse(
      refusal('PoolClosed', `pool ${named.name} hands out nothing new: ${named.closed.detail}`),
    );
  }
  const forbidden = forbidPin(request, named);
  if (forbidden !== undefined) return refuse(forbidden);
  if (!admits(named, request, namespaceLabels)) {
    const detail = `the serviceAllocation of pool ${named.name} does not admit this Service`;
    return refuse(refusal('PoolNotForService', detail));
  }
  return { kind: 'pools', pools: [named] };
}

/**
 * Whether a pool's serviceAllocation admits a Service. Namespaces that are named but match none
 * admit nobody. An empty list asks for nothing.
 */
export function admits(pool: Pool, request: Request, namespaceLabels: Labels = {}): boolean {
  const { allocation } = pool;
  if (allocation === undefined || reservedFor(pool, request.service).length > 0) return true;
  const { namespaces, namespaceSelectors, serviceSelectors } = allocation;
  const anyNamespace = namespaces.size === 0 && namespaceSelectors.length === 0;
  const namespaceFits =
    anyNamespace ||
    namespaces.has(request.namespace) ||
    namespaceSelectors.some((selector) => matches(selector, namespaceLabels));
  const serviceFits =
    serviceSelectors.length === 0 ||
    serviceSelectors.some((selector) => matches(selector, request.labels));
  return namespaceFits && serviceFits;
}

/** Why a Service may not ask for these addresses of a pool by their value. */
function forbidPin({ wanted, service }: Request, pool: Pool): Refusal | undefined {
  for (const address of wanted) {
    const text = formatAddress(address);
    const owner = reservedBy(pool, address);
    if (owner === service) continue;
    if (owner !== undefined) {
      const detail = `${text} of pool ${pool.name} is reserved for ${owner}`;
      return refusal('AddressReserved', detail);
    }
    if (pool.pinningReserved === true) {
      const detail = `pool ${pool.name} gives addresses by value to those only for whom they are reserved, and ${text} is not`;
      return refusal('PinningReserved', detail);
    }
  }
  return undefined;
}

/** The pool in which all these addresses lie; an open one goes before a closed one. */
export function poolOf(addresses: readonly Address[], pools: readonly Pool[]): Pool | undefined {
  const containing = pools.filter((pool) =>
    addresses.every((address) => poolContains(pool, address)),
  );
  return containing.find((pool) => pool.closed === undefined) ?? containing[0];
}

/** The pool from which a Service has its addresses, as the pools are now. */
export function poolHolding(
  { addresses, pool: name }: Pick<Holding, 'addresses' | 'pool'>,
  pools: readonly Pool[],
): Pool | undefined {
  const recorded = rosterOf(pools).named(name);
  const still =
    recorded !== undefined && addresses.every((address) => poolContains(recorded, address));
  return still ? recorded : poolOf(addresses, pools);
}

/** The one pool that the request names or whose addresses it wants, if it does either. */
function namePool(request: Request, pools: readonly Pool[]): Pool | Refusal | undefined {
  const { pool: name, wanted } = request;
  const named = name === undefined ? undefined : rosterOf(pools).named(name);
  if (name !== undefined && named === undefined) {
    return refusal('PoolUnknown', `there is no pool ${quote(name)}`);
  }
  if (wanted.length === 0) return named;
  const texts = wanted.map(formatAddress).join(' and ');
  if (named === undefined) {
    return (
      poolOf(wanted, pools) ??
      findWithheld(wanted, pools) ??
      refusal('AddressOutsidePools', `no pool contains ${texts}`)
    );
  }
  if (wanted.every((address) => poolContains(named, address))) return named;
  const what =
    named.nodes === undefined
      ? `does not contain ${texts}`
      : 'gives the addresses of its nodes, and none by value';
  return findWithheld(wanted, [named]) ?? refusal('PoolMismatch', `pool ${named.name} ${what}`);
}

/** Why nobody may have one of these addresses, though a pool has it in its ranges. */
export function findWithheld(
  wanted: readonly Address[],
  pools: readonly Pool[],
): Refusal | undefined {
  for (const pool of pools) {
    for (const address of wanted) {
      const text = formatAddress(address);
      if (excludes(pool, address))
        return refusal('AddressExcluded', `pool ${pool.name} hands out ${text} to nobody`);
      const occupier = occupierOf(pool, address);
      if (occupier !== undefined)
        return refusal('AddressOccupied', `${text} of pool ${pool.name} is ${occupier}`);
      const sighting = quarantineOf(pool, address);
      if (sighting !== undefined)
        return refusal('AddressQuarantined', describeSighting(sighting, pool));
    }
  }
  return undefined;
}

function automatic(
  request: Request,
  pools: readonly Pool[],
  namespaceLabels: Labels | undefined,
): Choice {
  const isFor = (pool: Pool): boolean =>
    reservedFor(pool, request.service).length > 0 ||
    (pool.autoAssign && admits(pool, request, namespaceLabels));
  const roster = rosterOf(pools);
  const labels = namespaceLabels ?? {};
  const open = roster.open.mayServe(request, labels).filter(isFor);
  if (open.length > 0) return { kind: 'pools', pools: open };
  const closed = roster.closed.mayServe(request, labels).find(isFor);
  if (closed?.closed !== undefined) {
    return refuse(
      refusal('PoolClosed', `pool ${closed.name} hands out nothing new: ${closed.closed.detail}`),
    );
  }
  const detail =
    pools.length === 0
      ? 'there is no IPAddressPool'
      : `none of ${pools.length} pools assigns to this Service by itself`;
  return refuse(refusal('NoPoolForService', detail));
}

const refuse = (why: Refusal): Choice => ({ kind: 'refuse', refusal: why });
