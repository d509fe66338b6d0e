import type { Pool } from '../crds/pool.ts';
import { type Address, formatAddress, sameAddress } from '../net/address.ts';
import { rangeContains } from '../net/range.ts';
import { admits, choosePools, findWithheld, poolOf } from './choose.ts';
import type { Holding, Ledger } from './ledger.ts';
import { poolContains, reservedFor } from './pool-addresses.ts';
import { type Refusal, refusal } from './reasons.ts';
import type { Request } from './request.ts';
import { rosterOf } from './roster.ts';
import type { Obstacle, Terms } from './terms.ts';
import { describeQuota, findAddresses, type Find, findInPool, formatAddresses } from './search.ts';

/** What a request is decided against. */
export type World = {
  /** In name order. */
  readonly pools: readonly Pool[];
  /** Labels of the Service's namespace; undefined while the namespace has not been seen. */
  readonly namespaceLabels: Readonly<Record<string, string>> | undefined;
  readonly ledger: Ledger;
};

export type Decision =
  /** It gets these, in place of any it holds. */
  | { readonly kind: 'assign'; readonly addresses: readonly Address[]; readonly pool: string }
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
  /** It cannot go on: another holder stands in the way. */
  | { readonly kind: 'conflict'; readonly refusal: Refusal };

/**
 * Decides one request. A Service keeps what it holds until what replaces it is decided; it loses
 * it without replacement only to another Service that holds the same address.
 */
export function allocate(request: Request, world: World): Decision {
  const held = world.ledger.holdingOf(request.service);
  if (held === undefined || held.addresses.length === 0) {
    const found = find(request, world, held);
    return found.kind === 'found' ? assign(found) : { kind: 'refuse', refusal: found.refusal };
  }
  const pool = poolHolding(held, world);
  const fault = findFault(held, pool, request, world);
  if (fault === undefined) return topUp(held, pool, request, world);
  // An edit of a pool moves nobody: that takes a word about the addresses themselves.
  if (
    fault.kind === 'unfit' &&
    !held.addresses.some((address) => isReclaimed(address, world.pools))
  )
    return { kind: 'refuse', refusal: refusal('AddressDraining', fault.refusal.detail) };
  const found = find(request, world, held);
  const enough = Math.min(held.addresses.length, request.families.length * request.count);
  if (found.kind === 'found' && found.addresses.length >= enough) return assign(found);
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

/**
 * Carries a decision out on the ledger. What the Service moves away from stays its own until
 * `settle`; what it keeps, it keeps on the terms it has now, unless these wrong another holder.
 */
export function enact(decision: Decision, service: string, terms: Terms, ledger: Ledger): void {
  switch (decision.kind) {
    case 'assign':
      ledger.hold(service, { addresses: decision.addresses, pool: decision.pool, terms });
      return;
    case 'release':
      ledger.hold(service, { addresses: [], pool: '', terms });
      return;
    case 'keep':
    case 'refuse': {
      const held = ledger.holdingOf(service);
      if (held === undefined) return;
      const pool = decision.kind === 'keep' ? decision.pool : held.pool;
      const wrongs = held.addresses.some(
        (address) => ledger.obstacle(address, { service, terms }) !== undefined,
      );
      if (!wrongs) ledger.hold(service, { addresses: held.addresses, pool, terms });
    }
  }
}

/** Addresses that meet the request, wherever the Service stands now. */
function find(request: Request, world: World, held: Holding | undefined): Find {
  const { pools, namespaceLabels, ledger } = world;
  const choice = choosePools(request, pools, namespaceLabels);
  if (choice.kind === 'refuse') return { kind: 'none', refusal: choice.refusal };
  if (request.wanted.length > 0) return findWanted(request, choice.pools, ledger);
  const reserved = choice.pools.filter((pool) => reservedFor(pool, request.service).length > 0);
  if (reserved.length > 0) {
    const found = findAddresses(request, reserved, ledger);
    if (found.kind === 'found') return found;
  }
  const own = held?.pool;
  const ordered =
    own === undefined
      ? choice.pools
      : choice.pools.toSorted((a, b) => Number(b.name === own) - Number(a.name === own));
  // Pools meant for the Service are used up before those meant for everybody.
  const dedicated = ordered.filter((pool) => pool.allocation !== undefined);
  if (dedicated.length === 0) return findAddresses(request, ordered, ledger);
  const found = findAddresses(request, dedicated, ledger);
  if (found.kind === 'found' || dedicated.length === ordered.length) return found;
  const open = ordered.filter((pool) => pool.allocation === undefined);
  const last = findAddresses(request, open, ledger);
  return last.kind === 'found' ? last : findAddresses(request, ordered, ledger);
}

function findWanted(request: Request, [pool]: readonly Pool[], ledger: Ledger): Find {
  const { service, wanted, terms } = request;
  for (const address of wanted) {
    const obstacle = ledger.obstacle(address, { service, terms });
    if (obstacle !== undefined) return { kind: 'none', refusal: taken(address, obstacle) };
    const isMore = pool !== undefined && !ledger.isHeldBeside(address, service);
    if (isMore && ledger.isAtQuota(pool, address.family, service))
      return { kind: 'none', refusal: refusal('QuotaReached', describeQuota(pool, request)) };
  }
  if (pool !== undefined) return { kind: 'found', addresses: wanted, pool };
  const detail = `no pool contains ${formatAddresses(wanted)}`;
  return { kind: 'none', refusal: refusal('AddressOutsidePools', detail) };
}

const isReclaimed = (address: Address, pools: readonly Pool[]): boolean =>
  pools.some(({ reclaimed = [] }) => reclaimed.some((range) => rangeContains(range, address)));

/** The pool from which a Service has its addresses, as the pools are now. */
function poolHolding({ addresses, pool: name }: Holding, { pools }: World): Pool | undefined {
  const recorded = rosterOf(pools).named(name);
  const still =
    recorded !== undefined && addresses.every((address) => poolContains(recorded, address));
  return still ? recorded : poolOf(addresses, pools);
}

function findFault(
  held: Holding,
  pool: Pool | undefined,
  request: Request,
  { pools, ledger, namespaceLabels }: World,
): Fault | undefined {
  for (const address of held.addresses) {
    const obstacle = ledger.obstacle(address, request);
    if (obstacle !== undefined) return { kind: 'conflict', refusal: taken(address, obstacle) };
  }
  if (!asksFor(request, held.addresses)) return { kind: 'unasked' };
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
  // A namespace that has not been seen is no reason to take anything away.
  if (namespaceLabels !== undefined && !admits(pool, request, namespaceLabels)) {
    const detail = `the serviceAllocation of pool ${pool.name} no longer admits this Service`;
    return { kind: 'unfit', refusal: refusal('PoolNotForService', detail) };
  }
  return undefined;
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

const assign = ({ addresses, pool }: Extract<Find, { kind: 'found' }>): Decision => ({
  kind: 'assign',
  addresses,
  pool: pool.name,
});

const secondMissing = ({ families }: Request): Refusal =>
  refusal('PoolLacksFamily', `no pool has both an ${families.join(' and an ')} address free`);

const withoutReplacement = (fault: Refusal, why: Refusal | undefined): Refusal =>
  why === undefined || why.detail === fault.detail
    ? fault
    : refusal(fault.reason, `${fault.detail}, and there is no replacement: ${why.detail}`);

function taken(address: Address, { holder, conflict, port }: Obstacle): Refusal {
  const facts = {
    unshared: `it is held by ${holder}, and not both Services allow sharing`,
    sharing: `it is held by ${holder} under another sharing key`,
    consent: `it is shared by ${holder}, of another namespace, and not both Services name the other's in metallb.io/share-with-namespaces`,
    backend: `it is shared by ${holder}, whose traffic policy reaches other nodes`,
    port: `its port ${port ?? ''} is held by ${holder}`,
  };
  return refusal('AddressTaken', `${formatAddress(address)} cannot be had: ${facts[conflict]}`);
}
