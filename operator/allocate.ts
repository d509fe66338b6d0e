import type { Pool } from '../crds/pool.ts';
import { type Address, sameAddress } from '../net/address.ts';
import { rangeContains } from '../net/range.ts';
import { type Conflict, findConflict, taken } from './conflict.ts';
import { admits, choosePools, findWithheld, poolHolding } from './choose.ts';
import type { Holding, Ledger } from './ledger.ts';
import {
  type Grant,
  grantNodes,
  isNodePool,
  type NodePool,
  nodePoolOf,
  type Surroundings,
} from './node-addresses.ts';
import { reservedFor } from './pool-addresses.ts';
import { type Refusal, refusal } from './reasons.ts';
import type { Request } from './request.ts';
import { rosterOf } from './roster.ts';
import { type Holder, termsOf } from './terms.ts';
import {
  describeQuota,
  exceedsQuota,
  type Find,
  findAddresses,
  findInPool,
  formatAddresses,
} from './search.ts';

/** What a request is decided against. */
export type World = Surroundings & {
  /** Labels of the Service's namespace; undefined while the namespace has not been seen. */
  readonly namespaceLabels: Readonly<Record<string, string>> | undefined;
};

export type Decision =
  /** It gets these, in place of any it holds. */
  | {
      readonly kind: 'assign';
      readonly addresses: readonly Address[];
      readonly pool: string;
      /** They are those of nodes. */
      readonly onNodes?: true;
      /** What is lacking all the same. */
      readonly refusal?: Refusal;
    }
  /** What it holds is what it asks for; the pool may go by a new name. */
  | { readonly kind: 'keep'; readonly pool: string }
  /** It does not get what it asks for; whatever it holds stays with it. */
  | { readonly kind: 'refuse'; readonly refusal: Refusal }
  /** It must give back what it holds: another Service is entitled to it. */
  | { readonly kind: 'release'; readonly refusal: Refusal };

/** Why what a Service holds is not what it should hold. */
type Fault =
  /** It asks for something else. */
  | { readonly kind: 'unasked' }
  /** It may not go on: the pools have changed. */
  | { readonly kind: 'unfit'; readonly refusal: Refusal }
  | Conflict;

/**
 * Decides one request. A Service keeps what it holds until what replaces it is decided; it loses
 * it without replacement only to another Service that holds the same address.
 */
export function allocate(request: Request, world: World): Decision {
  const held = world.ledger.shownBy(request.service);
  if (held === undefined || held.addresses.length === 0) {
    const found = find(request, world, held);
    return found.kind === 'found' ? assign(found) : { kind: 'refuse', refusal: found.refusal };
  }
  const pool = homeOf(held, world);
  if (pool !== undefined && isNodePool(pool)) return follow(held, pool, request, world);
  const fault = findFault(held, pool, request, world);
  if (fault === undefined) return topUp(held, pool, request, world);
  // An edit of a pool moves nobody: that takes a word about the addresses themselves.
  if (
    fault.kind === 'unfit' &&
    !held.addresses.some((address) => isReclaimed(address, world.pools))
  )
    return { kind: 'refuse', refusal: refusal('AddressDraining', fault.refusal.detail) };
  if (fault.kind === 'conflict' && fault.pending) return { kind: 'refuse', refusal: fault.refusal };
  const found = find(request, world, held);
  const enough = Math.min(held.addresses.length, request.families.length * request.count);
  if (found.kind === 'found' && (isNodePool(found.pool) || found.addresses.length >= enough))
    return assign(found);
  const why = found.kind === 'none' ? found.refusal : undefined;
  switch (fault.kind) {
    case 'unasked':
      return { kind: 'refuse', refusal: why ?? secondMissing(request) };
    case 'unfit':
      return { kind: 'refuse', refusal: withoutReplacement(fault.refusal, why) };
    case 'conflict':
      return { kind: 'release', refusal: withoutReplacement(fault.refusal, why) };
  }
}

/** Decides where a request cannot be read: all stays as it is, as long as that wrongs nobody. */
export function allocateNothing(wish: Holder, why: Refusal, ledger: Ledger): Decision {
  const conflict = findConflict(ledger.shownBy(wish.service)?.addresses ?? [], wish, ledger);
  if (conflict === undefined || conflict.pending) return { kind: 'refuse', refusal: why };
  return { kind: 'release', refusal: withoutReplacement(conflict.refusal, why) };
}

/** A Service that has the addresses of nodes has what these are now, for as long as their pool is for it. */
function follow(held: Holding, pool: NodePool, request: Request, world: World): Decision {
  const fault = findNodeFault(pool, request, world);
  const mayMove =
    fault?.kind !== 'unfit' || held.addresses.some((one) => isReclaimed(one, world.pools));
  const found = fault !== undefined && mayMove ? find(request, world, held) : undefined;
  if (found?.kind === 'found') return assign(found);
  const grant = grantNodes(request, pool, world);
  if (grant.addresses.length === 0) return leaveNodes(grant, held, request, world);
  const why = found?.refusal ?? drained(fault) ?? grant.refusal;
  if (!isSame(grant.addresses, held.addresses))
    return assign({
      kind: 'found',
      pool,
      addresses: grant.addresses,
      ...(why && { refusal: why }),
    });
  return why === undefined ? { kind: 'keep', pool: pool.name } : { kind: 'refuse', refusal: why };
}

const drained = (fault: Fault | undefined): Refusal | undefined =>
  fault?.kind === 'unfit' ? refusal('AddressDraining', fault.refusal.detail) : undefined;

/** Another Service has its ports on every node. */
function leaveNodes(
  { refusal: why }: Grant,
  held: Holding,
  request: Request,
  world: World,
): Decision {
  const found = find(request, world, held);
  if (found.kind === 'found') return assign(found);
  return { kind: 'release', refusal: why ?? found.refusal };
}

function findNodeFault(
  pool: NodePool,
  request: Request,
  { namespaceLabels }: World,
): Fault | undefined {
  const elsewhere = request.pool !== undefined && request.pool !== pool.name;
  if (elsewhere || request.wanted.length > 0) return { kind: 'unasked' };
  return findUnfit(pool, request, namespaceLabels);
}

const isSame = (some: readonly Address[], others: readonly Address[]): boolean =>
  some.length === others.length &&
  some.every((address) => others.some((other) => sameAddress(address, other)));

/** Addresses that meet the request, wherever the Service stands now. */
function find(request: Request, world: World, held: Holding | undefined): Find {
  const { pools, namespaceLabels, ledger } = world;
  const choice = choosePools(request, pools, namespaceLabels);
  if (choice.kind === 'refuse') return { kind: 'none', refusal: choice.refusal };
  if (request.wanted.length > 0) return findWanted(request, choice.pools, ledger);
  const reserved = choice.pools.filter((pool) => reservedFor(pool, request.service).length > 0);
  if (reserved.length > 0) {
    const found = findAddresses(request, reserved, world);
    if (found.kind === 'found') return found;
  }
  const own = held?.pool;
  const ordered =
    own === undefined
      ? choice.pools
      : choice.pools.toSorted((a, b) => Number(b.name === own) - Number(a.name === own));
  // Pools meant for the Service are used up before those meant for everybody.
  const dedicated = ordered.filter((pool) => pool.allocation !== undefined);
  if (dedicated.length === 0) return findAddresses(request, ordered, world);
  const found = findAddresses(request, dedicated, world);
  if (found.kind === 'found' || dedicated.length === ordered.length) return found;
  const open = ordered.filter((pool) => pool.allocation === undefined);
  const last = findAddresses(request, open, world);
  return last.kind === 'found' ? last : findAddresses(request, ordered, world);
}

function findWanted(request: Request, [pool]: readonly Pool[], ledger: Ledger): Find {
  const { service, wanted, terms } = request;
  for (const address of wanted) {
    const obstacle = ledger.obstacle(address, { service, terms });
    if (obstacle !== undefined) return { kind: 'none', refusal: taken(address, obstacle) };
  }
  if (pool !== undefined && exceedsQuota(wanted, pool, service, ledger))
    return { kind: 'none', refusal: refusal('QuotaReached', describeQuota(pool, request)) };
  if (pool !== undefined) return { kind: 'found', addresses: wanted, pool };
  const detail = `no pool contains ${formatAddresses(wanted)}`;
  return { kind: 'none', refusal: refusal('AddressOutsidePools', detail) };
}

const isReclaimed = (address: Address, pools: readonly Pool[]): boolean =>
  pools.some(({ reclaimed = [] }) => reclaimed.some((range) => rangeContains(range, address)));

/** The pool from which a Service has its addresses, as the pools are now. */
function homeOf(held: Holding, world: World): Pool | undefined {
  if (held.terms.onNodes !== true) return poolHolding(held, world.pools);
  const recorded = rosterOf(world.pools).named(held.pool);
  return recorded !== undefined && isNodePool(recorded)
    ? recorded
    : nodePoolOf(held.addresses, world);
}

function findFault(
  held: Holding,
  pool: Pool | undefined,
  request: Request,
  { pools, ledger, namespaceLabels }: World,
): Fault | undefined {
  const { onNodes } = held.terms;
  const { service } = request;
  const wish = { service, terms: termsOf(request.terms, onNodes) };
  const conflict = findConflict(held.addresses, wish, ledger);
  if (conflict !== undefined) return conflict;
  // How many there are of nodes is nobody's wish.
  const asked = onNodes === true ? request.wanted.length === 0 : asksFor(request, held.addresses);
  if (!asked) return { kind: 'unasked' };
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

/** PreferDualStack with one address: adds the other family once the same pool has it. */
function topUp(
  held: Holding,
  pool: Pool | undefined,
  request: Request,
  { ledger }: World,
): Decision {
  const present = held.addresses.map(({ family }) => family);
  const missing = request.families.find((family) => !present.includes(family));
  if (pool === undefined || missing === undefined || pool.closed !== undefined) {
    return { kind: 'keep', pool: pool?.name ?? held.pool };
  }
  const second = findInPool(request, missing, pool, ledger);
  if (second === undefined) return { kind: 'keep', pool: pool.name };
  return { kind: 'assign', addresses: [...held.addresses, ...second], pool: pool.name };
}

const assign = ({ addresses, pool, refusal: why }: Extract<Find, { kind: 'found' }>): Decision => ({
  kind: 'assign',
  addresses,
  pool: pool.name,
  ...(isNodePool(pool) ? { onNodes: true } : {}),
  ...(why === undefined ? {} : { refusal: why }),
});

const secondMissing = ({ families }: Request): Refusal =>
  refusal('PoolLacksFamily', `no pool has both an ${families.join(' and an ')} address free`);

const withoutReplacement = (fault: Refusal, why: Refusal | undefined): Refusal =>
  why === undefined || why.detail === fault.detail
    ? fault
    : refusal(fault.reason, `${fault.detail}, and there is no replacement: ${why.detail}`);
