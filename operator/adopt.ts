import { annotationKey } from '../crds/names.ts';
import type { Pool } from '../crds/pool.ts';
import { keyOf, type Service } from '../kube/object.ts';
import { type Address, sameAddress } from '../net/address.ts';
import { poolHolding, poolOf } from './choose.ts';
import type { Ledger } from './ledger.ts';
import { type Surroundings, nodePoolOf, type NodeWorld } from './node-addresses.ts';
import { type Obstacle, termsOf } from './terms.ts';
import { poolContains } from './pool-addresses.ts';
import { isOurs, readTerms, statusAddresses } from './request.ts';

type Adoption = {
  readonly services: Iterable<Service>;
  readonly pools: readonly Pool[];
  readonly nodeWorld: NodeWorld;
  readonly lbClass: string | undefined;
};

/**
 * Writes into an empty ledger what the statuses of the Services say that they hold. Of two that
 * claim the same address the older Service has it. Answers with the keys of all Services, the
 * oldest first: the order in which those without address came.
 */
export function adopt(
  { services, lbClass, ...around }: Adoption,
  ledger: Ledger,
): readonly string[] {
  const byAge = [...services].toSorted(compareAges);
  for (const service of byAge) {
    if (isOurs(service, lbClass)) adoptOne(service, { ...around, ledger });
  }
  return byAge.map(keyOf);
}

/**
 * Takes up what a status says and the ledger has not heard of: a write of our own may have been done and never
 * answered, and the last write of an earlier leader may reach the server late, because its bytes waited in a buffer
 * while it was frozen or cut off. What is free the Service keeps, as it would after a restart. What another holds stays
 * with that one: those obstacles are the answer, and the decision that follows gives the Service something else.
 */
export function adoptLate(service: Service, around: Surroundings): readonly Obstacle[] {
  const { ledger } = around;
  const key = keyOf(service);
  const shown = statusAddresses(service);
  const known = ledger.shownBy(key)?.addresses;
  if (known !== undefined && known.length === shown.length && areAmong(shown, known)) return [];
  // Over what was ours and shown somebody has written: that is put right, not taken up. A write of our own it may be.
  const isOurs = shown.length > 0 && areAmong(shown, ledger.ownedBy(key));
  if (known !== undefined && !isOurs) return [];
  const terms = readTerms(service);
  adoptOne(service, around);
  if (ledger.holdingOf(key)?.terms.onNodes === true) return [];
  return shown.flatMap((address) => ledger.obstacle(address, { service: key, terms }, true) ?? []);
}

/**
 * After a change of the pools: counts what is held under the pool that has it now, so that a quota knows of it before
 * anything is decided. What lies in no pool any more stays where it was.
 */
export function rehome(pools: readonly Pool[], ledger: Ledger): void {
  for (const [service, holding] of ledger.holdings()) {
    // What nodes give belongs to the pool that gave it.
    const home = holding.terms.onNodes === true ? undefined : poolHolding(holding, pools);
    if (home !== undefined && home.name !== holding.pool && holding.addresses.length > 0)
      ledger.hold(service, { ...holding, pool: home.name });
  }
}

function adoptOne(service: Service, around: Surroundings): void {
  const { pools, ledger } = around;
  const { annotations } = service.metadata;
  const key = keyOf(service);
  const shown = distinct(statusAddresses(service));
  const recorded = annotations?.[annotationKey('ip-allocated-from-pool')];
  const named = pools.find(({ name }) => name === recorded);
  const isMarked = annotations?.[annotationKey('has-node-addresses')] !== undefined;
  // What the load balancer of K3s left is known by what it is.
  const nodePool = isMarked && named?.nodes ? named : nodePoolOf(shown, around);
  const onNodes = isMarked || nodePool !== undefined ? true : undefined;
  const terms = termsOf(readTerms(service), onNodes);
  const claimed = shown.filter(
    (address) => ledger.obstacle(address, { service: key, terms }, true) === undefined,
  );
  if (claimed.length === 0) return;
  const still = named !== undefined && claimed.every((address) => poolContains(named, address));
  const pool = onNodes === true ? nodePool : still ? named : poolOf(claimed, pools);
  ledger.adopt(key, { addresses: claimed, pool: pool?.name ?? recorded ?? '', terms });
}

const areAmong = (some: readonly Address[], all: readonly Address[]): boolean =>
  some.every((address) => all.some((other) => sameAddress(other, address)));

const distinct = (addresses: readonly Address[]): readonly Address[] =>
  addresses.filter(
    (address, index) => addresses.findIndex((other) => sameAddress(other, address)) === index,
  );

function compareAges(a: Service, b: Service): number {
  const [left, right] = [a, b].map(
    (service) => `${service.metadata.creationTimestamp ?? ''} ${keyOf(service)}`,
  );
  return (left ?? '') < (right ?? '') ? -1 : 1;
}
