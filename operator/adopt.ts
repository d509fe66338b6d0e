import { annotationKey } from '../crds/names.ts';
import type { Pool } from '../crds/pool.ts';
import { keyOf, type Service } from '../kube/object.ts';
import { type Address, sameAddress } from '../net/address.ts';
import { poolHolding, poolOf } from './choose.ts';
import type { Ledger } from './ledger.ts';
import type { Obstacle } from './terms.ts';
import { poolContains } from './pool-addresses.ts';
import { isOurs, readTerms, statusAddresses } from './request.ts';

export type Adoption = {
  readonly services: Iterable<Service>;
  readonly pools: readonly Pool[];
  readonly lbClass: string | undefined;
};

/**
 * Writes into an empty ledger what the statuses of the Services say that they hold. Of two that
 * claim the same address the older Service has it. Answers with the keys of all Services, the
 * oldest first: the order in which those without address came.
 */
export function adopt({ services, pools, lbClass }: Adoption, ledger: Ledger): readonly string[] {
  const byAge = [...services].toSorted(compareAges);
  for (const service of byAge) {
    if (isOurs(service, lbClass)) adoptOne(service, pools, ledger);
  }
  return byAge.map(keyOf);
}

/**
 * Takes up what a status says and the ledger has not heard of: a write of our own may have been done and never
 * answered, and the last write of an earlier leader may reach the server late, because its bytes waited in a buffer
 * while it was frozen or cut off. What is free the Service keeps, as it would after a restart. What another holds stays
 * with that one: those obstacles are the answer, and the decision that follows gives the Service something else.
 */
export function adoptLate(
  service: Service,
  pools: readonly Pool[],
  ledger: Ledger,
): readonly Obstacle[] {
  const key = keyOf(service);
  const shown = statusAddresses(service);
  const known = ledger.shownBy(key)?.addresses;
  if (known !== undefined && known.length === shown.length && areAmong(shown, known)) return [];
  // Over what was ours and shown somebody has written: that is put right, not taken up. A write of our own it may be.
  const isOurs = shown.length > 0 && areAmong(shown, ledger.ownedBy(key));
  if (known !== undefined && !isOurs) return [];
  const terms = readTerms(service);
  adoptOne(service, pools, ledger);
  return shown.flatMap((address) => ledger.obstacle(address, { service: key, terms }, true) ?? []);
}

/**
 * After a change of the pools: counts what is held under the pool that has it now, so that a quota knows of it before
 * anything is decided. What lies in no pool any more stays where it was.
 */
export function rehome(pools: readonly Pool[], ledger: Ledger): void {
  for (const [service, holding] of ledger.holdings()) {
    const home = poolHolding(holding, pools);
    if (home !== undefined && home.name !== holding.pool && holding.addresses.length > 0)
      ledger.hold(service, { ...holding, pool: home.name });
  }
}

function adoptOne(service: Service, pools: readonly Pool[], ledger: Ledger): void {
  const key = keyOf(service);
  const terms = readTerms(service);
  const claimed = distinct(statusAddresses(service)).filter(
    (address) => ledger.obstacle(address, { service: key, terms }, true) === undefined,
  );
  if (claimed.length === 0) return;
  const recorded = service.metadata.annotations?.[annotationKey('ip-allocated-from-pool')];
  const named = pools.find(({ name }) => name === recorded);
  const still = named !== undefined && claimed.every((address) => poolContains(named, address));
  const pool = still ? named.name : (poolOf(claimed, pools)?.name ?? recorded ?? '');
  ledger.adopt(key, { addresses: claimed, pool, terms });
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
