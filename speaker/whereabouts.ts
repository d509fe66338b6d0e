import { isDeepStrictEqual } from 'node:util';
import type { NodeNetworkStatus } from '../crds/node-network.ts';
import { type Link, readGateways } from './io/link.ts';
import { describeNetworks } from './networks.ts';

/** How often the gateways are looked at: a route may change although no link does. */
const lookEveryMs = 60_000;

/** Where this node stands; says so when it is somewhere else. */
export class Whereabouts {
  #told: NodeNetworkStatus | undefined;
  #lookedAtMs = -Infinity;

  isDue(nowMs: number): boolean {
    return nowMs >= this.#lookedAtMs + lookEveryMs;
  }

  /** What is to be told of these links; undefined where it has been. */
  look(links: readonly Link[], nowMs: number): NodeNetworkStatus | undefined {
    this.#lookedAtMs = nowMs;
    const networks = describeNetworks(links, readGateways());
    if (isDeepStrictEqual(networks, this.#told)) return undefined;
    this.#told = networks;
    return networks;
  }
}
