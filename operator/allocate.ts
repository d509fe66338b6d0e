import type { Pool } from '../crds/pool.ts';
import { type Address, sameAddress } from '../net/address.ts';
import { rangesContain } from '../net/range.ts';
import { findConflict, taken } from './conflict.ts';
import { choosePools } from './choose.ts';
import { findContest } from './evade.ts';
import { type Fault, findFault, findNodeFault, homeOf } from './fault.ts';
import type { Holding, Ledger } from './ledger.ts';
import { type Grant, grantNodes, isNodePool, type NodePool } from './node-addresses.ts';
import { reservedFor } from './pool-addresses.ts';
import { type Refusal, refusal } from './reasons.ts';
import type { Request } from './request.ts';
import type { Holder } from './terms.ts';
import {
  describeQuota,
  exceedsQuota,
  type Find,
  findAddresses,
  findInPool,
  formatAddresses,
} from './search.ts';
import type { World } from './world.ts';

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
      /** What drives it away from those that it holds. */
      readonly evades?: Refusal;
    }
  /** What it holds is what it asks for; the pool may go by a new name. */
  | { readonly kind: 'keep'; readonly pool: string; readonly refusal?: Refusal }
  /** It does not get what it asks for; whatever it holds stays with it. It may be another time after so long. */
  | { readonly kind: 'refuse'; readonly refusal: Refusal; readonly againAfterMs?: number }
  /** It must give back what it holds: another Service is entitled to it. */
  | { readonly kind: 'release'; readonly refusal: Refusal };

/**
 * Decides one request. A Service keeps what it holds until what replaces it is decided; it loses
 * it without replacement only to another Service that holds the same address.
 */
export function allocate(request: Request, world: World): Decision {
  const decision = settleOn(request, world);
  if (decision.kind !== 'keep' && decision.kind !== 'assign') return decision;
  const held = world.ledger.shownBy(request.service)?.addresses ?? [];
  const contest = findContest(decision.kind === 'assign' ? decision.addresses : held, world.pools);
  return contest === undefined ? decision : { refusal: contest, ...decision };
}

function settleOn(request: Request, world: World): Decision {
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
  if (fault.kind === 'quarantine' && fault.stays) {
    const { refusal: why, againAfterMs } = fault;
    return { kind: 'refuse', refusal: why, ...(againAfterMs !== undefined && { againAfterMs }) };
  }
  const found = find(request, world, held);
  const enough = Math.min(held.addresses.length, request.families.length * request.count);
  if (found.kind === 'found' && (isNodePool(found.pool) || found.addresses.length >= enough))
    return { ...assign(found), ...(fault.kind === 'quarantine' && { evades: fault.refusal }) };
  const why = found.kind === 'none' ? found.refusal : undefined;
  switch (fault.kind) {
    case 'unasked':
      return { kind: 'refuse', refusal: why ?? secondMissing(request) };
    case 'unfit':
    case 'quarantine':
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
  pools.some(({ reclaimed = [] }) => rangesContain(reclaimed, address));

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

function assign({
  addresses,
  pool,
  refusal: why,
}: Extract<Find, { kind: 'found' }>): Extract<Decision, { kind: 'assign' }> {
  const plain = { kind: 'assign', addresses, pool: pool.name } as const;
  const decision = isNodePool(pool) ? ({ ...plain, onNodes: true } as const) : plain;
  return why === undefined ? decision : { ...decision, refusal: why };
}

const secondMissing = ({ families }: Request): Refusal =>
  refusal('PoolLacksFamily', `no pool has both an ${families.join(' and an ')} address free`);

const withoutReplacement = (fault: Refusal, why: Refusal | undefined): Refusal =>
  why === undefined || why.detail === fault.detail
    ? fault
    : refusal(fault.reason, `${fault.detail}, and there is no replacement: ${why.detail}`);
