import type { Pool } from '../crds/pool.ts';
import { type Address, sameAddress } from '../net/address.ts';
import { admits, findWithheld, poolHolding } from './choose.ts';
import { type Conflict, findConflict } from './conflict.ts';
import { findQuarantine, type Quarantine } from './evade.ts';
import type { Holding } from './ledger.ts';
import { isNodePool, type NodePool, nodePoolOf } from './node-addresses.ts';
import { type Refusal, refusal } from './reasons.ts';
import type { Request } from './request.ts';
import { rosterOf } from './roster.ts';
import { formatAddresses } from './search.ts';
import { termsOf } from './terms.ts';
import type { World } from './world.ts';

/** Why what a Service holds is not what it should hold. */
export type Fault =
  /** It asks for something else. */
  | { readonly kind: 'unasked' }
  /** It may not go on: the pools have changed. */
  | { readonly kind: 'unfit'; readonly refusal: Refusal }
  | Quarantine
  | Conflict;

/** The pool from which a Service has its addresses, as the pools are now. */
export function homeOf(held: Holding, world: World): Pool | undefined {
  if (held.terms.onNodes !== true) return poolHolding(held, world.pools);
  const recorded = rosterOf(world.pools).named(held.pool);
  return recorded !== undefined && isNodePool(recorded)
    ? recorded
    : nodePoolOf(held.addresses, world);
}

/** What is wrong with holding addresses of a pool; `pool` is that from which they are now, if any. */
export function findFault(
  held: Holding,
  pool: Pool | undefined,
  request: Request,
  world: World,
): Fault | undefined {
  const { pools, ledger, namespaceLabels } = world;
  const { onNodes } = held.terms;
  const { service } = request;
  const wish = { service, terms: termsOf(request.terms, onNodes) };
  const conflict = findConflict(held.addresses, wish, ledger);
  if (conflict !== undefined) return conflict;
  // How many there are of nodes is nobody's wish.
  const asked = onNodes === true ? request.wanted.length === 0 : asksFor(request, held.addresses);
  if (!asked) return { kind: 'unasked' };
  const quarantine = onNodes === true ? undefined : findQuarantine(request, held.addresses, world);
  if (quarantine !== undefined) return quarantine;
  if (pool === undefined) {
    // Of a faulty pool object not all ranges may be known: it may well still contain them.
    const mayContain = ({ name, closed }: Pool) =>
      closed !== undefined && (held.pool === '' || held.pool === name);
    if (pools.some(mayContain)) return undefined;
    const detail = `no pool contains ${formatAddresses(held.addresses)} any more`;
    const outside = refusal('AddressOutsidePools', detail);
    return { kind: 'unfit', refusal: findWithheld(held.addresses, pools) ?? outside };
  }
  if (request.pool !== undefined && request.pool !== pool.name) return { kind: 'unasked' };
  return findUnfit(pool, request, namespaceLabels);
}

/** What is wrong with holding the addresses of the nodes of a pool. */
export function findNodeFault(
  pool: NodePool,
  request: Request,
  { namespaceLabels }: World,
): Fault | undefined {
  const elsewhere = request.pool !== undefined && request.pool !== pool.name;
  if (elsewhere || request.wanted.length > 0) return { kind: 'unasked' };
  return findUnfit(pool, request, namespaceLabels);
}

function findUnfit(
  pool: Pool,
  request: Request,
  namespaceLabels: World['namespaceLabels'],
): Extract<Fault, { kind: 'unfit' }> | undefined {
  // A namespace that has not been seen is no reason to take anything away.
  if (namespaceLabels === undefined || admits(pool, request, namespaceLabels)) return undefined;
  const detail = `the serviceAllocation of pool ${pool.name} no longer admits this Service`;
  return { kind: 'unfit', refusal: refusal('PoolNotForService', detail) };
}

/** Whether these addresses are what the request asks for, by value and by family. */
function asksFor(
  { wanted, families, secondOptional, count }: Request,
  held: readonly Address[],
): boolean {
  if (wanted.length > 0) {
    const present = wanted.filter((address) => held.some((other) => sameAddress(other, address)));
    return present.length === wanted.length && held.length === wanted.length;
  }
  const counts = families.map((family) => held.filter((one) => one.family === family).length);
  return (
    held.every(({ family }) => families.includes(family)) &&
    counts.includes(count) &&
    counts.every((each) => each === count || (secondOptional && each === 0))
  );
}
