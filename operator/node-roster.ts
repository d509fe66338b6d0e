import { isDeepStrictEqual } from 'node:util';
import type { PoolNodes } from '../crds/pool-nodes.ts';
import { isExcluded, isReachable, isReady } from '../kube/node-state.ts';
import type { Node } from '../kube/object.ts';
import { type Address, parseAddress } from '../net/address.ts';

/** What of a node matters to whoever gives its addresses away. */
export type RosterNode = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The first of each family, which is the node's main one. */
  readonly addresses: Readonly<Record<PoolNodes['addressType'], readonly Address[]>>;
  /** Load balancers are asked to leave it alone. */
  readonly excluded: boolean;
  readonly ready: boolean;
  /** Ready, and not only just come back. */
  readonly steady: boolean;
};

/** Whether there is another roster now, and when to look at the node again. */
type Turn = { readonly changed: boolean; readonly againAfterMs?: number };

/** How long a node that was lost is Ready again before it counts as steady. A new one does so at once. */
export const returnSeconds = 10;

type Entry = {
  readonly node: RosterNode;
  readonly readySinceMs: number;
  /** It was Ready, was lost, and is not steady again. */
  readonly lost: boolean;
};

/**
 * The nodes as they stand. One that goes, goes at once; one that comes back is believed only after a while, so that a
 * node that flaps makes two writes for each Service in that time at most.
 */
export class NodeRoster {
  readonly #entries = new Map<string, Entry>();
  #nodes: readonly RosterNode[] | undefined;

  /** In name order. */
  get nodes(): readonly RosterNode[] {
    return (this.#nodes ??= [...this.#entries.values()]
      .map(({ node }) => node)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)));
  }

  /** Takes note of a node as it is now; undefined: it is gone. */
  take(name: string, node: Node | undefined, nowMs: number): Turn {
    const before = this.#entries.get(name);
    if (node === undefined) {
      this.#entries.delete(name);
      this.#nodes = undefined;
      return { changed: before !== undefined };
    }
    const ready = isReady(node) && isReachable(node);
    const wasReady = before?.node.ready === true;
    const wasLost = before?.lost === true || (wasReady && !ready);
    const readySinceMs = before !== undefined && wasReady ? before.readySinceMs : nowMs;
    const waitMs = wasLost ? readySinceMs + returnSeconds * 1_000 - nowMs : 0;
    const steady = ready && waitMs <= 0;
    const now: RosterNode = {
      name,
      labels: node.metadata.labels ?? {},
      addresses: {
        InternalIP: addressesOf(node, 'InternalIP'),
        ExternalIP: addressesOf(node, 'ExternalIP'),
      },
      excluded: isExcluded(node),
      ready,
      steady,
    };
    this.#entries.set(name, { node: now, readySinceMs, lost: wasLost && !steady });
    // A heartbeat changes nothing of this.
    const changed = !isDeepStrictEqual(before?.node, now);
    if (changed) this.#nodes = undefined;
    return { changed, ...(ready && !steady ? { againAfterMs: waitMs } : {}) };
  }
}

function addressesOf({ status }: Node, wanted: PoolNodes['addressType']): readonly Address[] {
  const found = (status?.addresses ?? []).flatMap(({ type, address }) =>
    type === wanted ? (parseAddress(address) ?? []) : [],
  );
  return found.filter(
    ({ family }, index) => found.findIndex((other) => other.family === family) === index,
  );
}
