import type { NodeNetworkStatus } from '../crds/node-network.ts';
import type { Mac } from '../net/mac.ts';
import type { Fact } from './orders.ts';

/**
 * No more are written about one node. A station that answers for everything is found out by the first of them, and the
 * object stays small: each speaker and the operator read the one of every node.
 */
export const mostTold = 100;

type Seen = {
  readonly mac: Mac;
  readonly state: 'Quarantined' | 'Contested';
  readonly since: Date;
};

/** Which stations have addresses that this node claims, as the wire thread told it: link by link. */
export class ForeignStations {
  readonly #links = new Map<string, Map<string, Seen>>();

  /** Takes in a fact; returns whether anything is different now. */
  note(fact: Fact, now: Date): boolean {
    if (fact.kind === 'foreign') return this.#see(fact, now);
    if (fact.kind === 'gone') return this.#links.delete(fact.link);
    if (fact.kind !== 'cleared' && fact.kind !== 'yielded') return false;
    return this.#links.get(fact.link)?.delete(fact.address) ?? false;
  }

  /** Where the node stands, and whom it has met there. */
  within({ links = [] }: NodeNetworkStatus): NodeNetworkStatus {
    let room = mostTold;
    return {
      links: links.map((link) => {
        const seen = [...(this.#links.get(link.name) ?? [])].slice(0, room);
        room -= seen.length;
        const foreign = seen.map(([address, { mac, state, since }]) => ({
          address,
          mac,
          since: since.toISOString(),
          state,
        }));
        return foreign.length === 0 ? link : { ...link, foreign };
      }),
    };
  }

  #see({ link, address, mac, state }: Fact & { kind: 'foreign' }, now: Date): boolean {
    const onLink = this.#links.get(link) ?? new Map<string, Seen>();
    this.#links.set(link, onLink);
    const before = onLink.get(address);
    if (before?.mac === mac && before.state === state) return false;
    const since = before?.state === state ? before.since : now;
    onLink.set(address, { mac, state, since });
    return true;
  }
}
