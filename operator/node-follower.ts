import type { Clock } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import type { EndpointSlice, Node } from '../kube/object.ts';
import { KeyedQueue } from '../kube/queue.ts';
import type { NodeWorld } from './node-addresses.ts';
import { NodeRoster } from './node-roster.ts';
import { ServingNodes } from './serving-nodes.ts';

type Surroundings = {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** A node as last seen; undefined: it is gone. */
  readonly node: (name: string) => Node | undefined;
  readonly slice: (key: string) => EndpointSlice | undefined;
  /** A node came, went, or is another one than before. */
  readonly onNodes: () => void;
  /** A Service is served by other nodes than before. */
  readonly onServing: (service: string) => void;
};

/** Keeps what is known of nodes, and comes back to those that have to prove themselves. */
export class NodeFollower {
  readonly #surroundings: Surroundings;
  readonly #roster = new NodeRoster();
  readonly #serving = new ServingNodes();
  readonly #returning: KeyedQueue;

  constructor(surroundings: Surroundings) {
    const { clock, random, log } = surroundings;
    this.#surroundings = surroundings;
    this.#returning = new KeyedQueue({
      work: async (name) => this.look(name),
      concurrency: 1,
      clock,
      random,
      log,
    });
  }

  get world(): NodeWorld {
    return {
      nodes: this.#roster.nodes,
      servingOf: (service) => this.#serving.of(service),
    };
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#returning.run(signal);
  }

  /** Takes note of a node as it is now. */
  look(name: string): void {
    const { clock, node, onNodes } = this.#surroundings;
    const turn = this.#roster.take(name, node(name), clock.nowMs());
    if (turn.againAfterMs !== undefined) this.#returning.addAfter(name, turn.againAfterMs);
    if (turn.changed) onNodes();
  }

  /** Takes note of an EndpointSlice as it is now. */
  lookAtSlice(key: string): void {
    const { slice, onServing } = this.#surroundings;
    for (const service of this.#serving.take(key, slice(key))) onServing(service);
  }
}
