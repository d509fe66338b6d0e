import { annotationKey } from '../crds/names.ts';
import type { Pool } from '../crds/pool.ts';
import { keyOf, type Service } from '../kube/object.ts';
import { type Address, sameAddress } from '../net/address.ts';
import { poolOf } from './choose.ts';
import type { Ledger } from './ledger.ts';
import { type Surroundings, nodePoolOf, type NodeWorld } from './node-addresses.ts';
import { type Obstacle, termsOf } from './terms.ts';
import { poolContains } from './pool-addresses.ts';
import { isOurs, readTerms, statusAddresses } from './request.ts';

export type Adoption = {
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
 * Takes up what a status says and the ledger has not heard of. The last write of an earlier leader may reach the server
 * late: its bytes waited in a buffer while it was frozen or cut off. What is free the Service keeps, as it would after a
 * restart. What another holds stays with that one: those obstacles are the answer, and the decision that follows gives
 * the Service something else.
 */
export function adoptLate(service: Service, around: Surroundings): readonly Obstacle[] {
  const { ledger } = around;
  const key = keyOf(service);
  const shown = statusAddresses(service);
  // Over what was ours and shown somebody has written: that is put right, not taken up.
  if (ledger.isShown(key) || shown.some((address) => ledger.owns(key, address))) return [];
  const terms = readTerms(service);
  adoptOne(service, around);
  if (ledger.holdingOf(key)?.terms.onNodes === true) return [];
  return shown.flatMap((address) => ledger.obstacle(address, { service: key, terms }, true) ?? []);
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
  ledger.hold(key, { addresses: claimed, pool: pool?.name ?? recorded ?? '', terms });
}

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
