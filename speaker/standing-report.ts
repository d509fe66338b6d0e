import type { NodeNetworkStatus } from '../crds/node-network.ts';
import type { Clock } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import { KeyedQueue } from '../kube/queue.ts';
import type { Transport } from '../kube/transport.ts';
import { ForeignStations } from './foreign-stations.ts';
import { reportNetworks } from './network-report.ts';
import type { Observer } from './observer.ts';
import type { Fact } from './orders.ts';

/** Between two writes about this node: a station that takes many addresses is told in few. */
const restMs = 1000;

type Surroundings = {
  readonly transport: Transport;
  readonly namespace: string;
  readonly node: string;
  readonly observer: Pick<Observer, 'synced' | 'node'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

/** Sees to it that what is written about where this node stands, and whom it has met there, becomes right. */
export class StandingReport {
  readonly #surroundings: Surroundings;
  readonly #queue: KeyedQueue;
  readonly #stations = new ForeignStations();
  #networks: NodeNetworkStatus = {};

  constructor(surroundings: Surroundings) {
    const { clock, random, log } = surroundings;
    this.#surroundings = surroundings;
    const work = (_node: string, signal: AbortSignal) => this.#write(signal);
    this.#queue = new KeyedQueue({ work, concurrency: 1, clock, random, log });
  }

  note(fact: Fact): void {
    const { node, clock } = this.#surroundings;
    if (fact.kind === 'networks') this.#networks = fact.networks;
    const isNews = this.#stations.note(fact, clock.wall());
    if (isNews || fact.kind === 'networks') this.#queue.add(node);
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#queue.run(signal);
  }

  async #write(signal: AbortSignal): Promise<void> {
    const { transport, namespace, node, observer, clock } = this.#surroundings;
    await observer.synced();
    const nodeUid = () => observer.node(node)?.metadata.uid;
    const seen = this.#stations.within(this.#networks);
    await reportNetworks(seen, { transport, namespace, node, nodeUid }, signal);
    await clock.sleep(restMs, signal);
  }
}
