import type { Mac } from '../net/mac.ts';
import type { Action } from './core/action.ts';
import type { Segment } from './core/segment.ts';
import type { Speaker } from './roster.ts';

type Surroundings = {
  readonly segment: Pick<Segment, 'peers'>;
  /** Of all links of this machine. */
  readonly macs: () => ReadonlySet<Mac>;
};

/**
 * The stations of one segment that are none of a foreign machine: this one's, the peers', and those of nodes that were
 * peers and are heard no more. Where only pulses are lost, such a node still answers for addresses, and who gets these is
 * the election's matter.
 */
export class ClusterStations {
  readonly #surroundings: Surroundings;
  /** The last known one of each node. */
  readonly #met = new Map<string, Mac>();

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  has(mac: Mac): boolean {
    const { segment, macs } = this.#surroundings;
    return (
      macs().has(mac) ||
      segment.peers.values().some((peer) => peer.mac === mac) ||
      this.#met.values().some((one) => one === mac)
    );
  }

  /** Who has been found, and who may be lost soon. */
  note(actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.kind !== 'peer') continue;
      const mac = this.#surroundings.segment.peers.get(action.node)?.mac;
      if (mac !== undefined) this.#met.set(action.node, mac);
    }
  }

  /** A node that has left the cluster is foreign; where none is listed, that is not known of any. */
  keep(speakers: readonly Speaker[]): void {
    if (speakers.length === 0) return;
    const nodes = new Set(speakers.map(({ node }) => node));
    for (const node of this.#met.keys()) if (!nodes.has(node)) this.#met.delete(node);
  }
}
