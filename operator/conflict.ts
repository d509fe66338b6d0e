import { type Address, formatAddress, sameAddress } from '../net/address.ts';
import type { Ledger } from './ledger.ts';
import { type Refusal, refusal } from './reasons.ts';
import type { Holder, Obstacle } from './terms.ts';

/** A Service cannot go on: another holder stands in the way. */
export type Conflict = {
  readonly kind: 'conflict';
  readonly refusal: Refusal;
  /** The other one does not show the address yet. */
  readonly pending: boolean;
};

/** Another holder in whose way a Service would be with one of these addresses. */
export function findConflict(
  addresses: readonly Address[],
  wish: Holder,
  ledger: Ledger,
): Conflict | undefined {
  for (const address of addresses) {
    const obstacle = ledger.obstacle(address, wish);
    if (obstacle === undefined) continue;
    const theirs = ledger.shownBy(obstacle.holder)?.addresses ?? [];
    const pending = !theirs.some((one) => sameAddress(one, address));
    return { kind: 'conflict', refusal: taken(address, obstacle), pending };
  }
  return undefined;
}

/** What a Service is told whose address another one has. */
export function taken(address: Address, { holder, conflict, port }: Obstacle): Refusal {
  const facts = {
    unshared: `it is held by ${holder}, and not both Services allow sharing`,
    sharing: `it is held by ${holder} under another sharing key`,
    consent: `it is shared by ${holder}, of another namespace, and not both Services name the other's in metallb.io/share-with-namespaces`,
    backend: `it is shared by ${holder}, whose traffic policy reaches other nodes`,
    port: `its port ${port ?? ''} is held by ${holder}`,
  };
  return refusal('AddressTaken', `${formatAddress(address)} cannot be had: ${facts[conflict]}`);
}
