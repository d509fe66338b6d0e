import type { Clock } from '../daemon/clock.ts';
import type { Holdings } from './holdings.ts';
import type { Held } from './orders.ts';
import { WaitingLine } from './waiting-line.ts';

/**
 * Of two nodes that took an address at once, one has given it up by then: they learn of each other within a pulse, and
 * pulses are 100 ms apart on a segment of up to a hundred nodes.
 */
const settleMs = 500;

type Surroundings = {
  readonly holdings: Pick<Holdings, 'of'>;
  /** Says of a Service that this node answers for one of its addresses. */
  readonly announce: (service: string, held: Held) => void;
  /** Resolves when the Services are known; a start from the kept plan is before that. */
  readonly synced: () => Promise<void>;
  readonly clock: Clock;
};

/**
 * Says once of each Service and each of its addresses that this node answers for it now: after the first frame, and when
 * it has lasted, so that nobody is told of a holder that was none. What nobody could be told of yet waits.
 */
export class Herald {
  readonly #surroundings: Surroundings;
  readonly #line: WaitingLine;
  readonly #said = new Map<string, ReadonlySet<string>>();

  constructor(surroundings: Surroundings) {
    const { clock } = surroundings;
    this.#surroundings = surroundings;
    this.#line = new WaitingLine({ ms: settleMs, clock, due: (service) => this.#say(service) });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { synced, clock } = this.#surroundings;
    await synced();
    // What the API server has just said may end what was held until then.
    await clock.sleep(settleMs, signal);
    await this.#line.run(signal);
  }

  /** Addresses of these Services were taken or given up here, or the plan has others for them. */
  changed(services: Iterable<string>): void {
    for (const service of services) {
      const isHolder = this.#surroundings.holdings.of(service).length > 0;
      if (isHolder || this.#said.has(service)) this.#line.add(service);
    }
  }

  #say(service: string): void {
    const { holdings, announce } = this.#surroundings;
    const said = this.#said.get(service);
    const held = holdings.of(service).map(({ fact }) => fact);
    if (held.length === 0) this.#said.delete(service);
    else this.#said.set(service, new Set(held.map(tenureOf)));
    for (const fact of held) if (said?.has(tenureOf(fact)) !== true) announce(service, fact);
  }
}

/** Holding it until it is given up: who takes it again has another term. */
const tenureOf = ({ address, link, term }: Held): string => `${address} ${link} ${term}`;
