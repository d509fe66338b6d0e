import type { FakeSegment } from './fake-segment.ts';
import type { Machine } from './machine.ts';

/** One moment at which something was wrong that must never be. */
export type Violation = { readonly atMs: number; readonly what: string };

/** How long a claim takes to arrive, and the pulse that leads to one. */
export type Tolerated = { readonly exchangeMs: number; readonly pulseMs: number };

/** Watches a segment: two nodes that hear each other may answer for one address only for a moment. */
export class Judge {
  readonly violations: Violation[] = [];
  /** The longest time that two connected nodes answered for one address. */
  longestDoubleMs = 0;
  readonly #segment: FakeSegment;
  readonly #addresses: readonly string[];
  readonly #tolerated: Tolerated;
  readonly #doubleSinceMs = new Map<string, number>();

  constructor(segment: FakeSegment, addresses: readonly string[], tolerated: Tolerated) {
    this.#segment = segment;
    this.#addresses = addresses;
    this.#tolerated = tolerated;
  }

  /** To be called after everything that happens. */
  look(): void {
    const { nowMs } = this.#segment;
    for (const address of this.#addresses) {
      const pair = this.#connectedPair(address);
      const since = this.#doubleSinceMs.get(address);
      if (pair === undefined) {
        if (since !== undefined) this.#end(address, since);
      } else if (since === undefined) {
        this.#doubleSinceMs.set(address, nowMs);
      } else if (nowMs - since > this.#toleratedMs(since)) {
        const names = pair.map(({ name }) => name).join(' and ');
        this.#report(`${names} both answer for ${address} since ${since.toFixed(1)} ms`);
        this.#doubleSinceMs.set(address, nowMs);
      }
    }
  }

  /** To be called when all is quiet: every address that somebody can hold has one holder. */
  lookAtRest(): void {
    for (const address of this.#addresses) {
      const able = this.#segment.nodes.some(({ segment }) => segment?.phase === 'active');
      const holders = this.#segment.holders(address);
      if (able && holders.length !== 1) {
        this.#report(`${address} is held by ${holders.join(' and ') || 'nobody'}`);
      }
    }
  }

  #connectedPair(address: string): readonly [Machine, Machine] | undefined {
    const holders = this.#segment.nodes.filter((node) => this.#segment.answers(node, address));
    for (const a of holders) {
      for (const b of holders) {
        if (a.name < b.name && this.#segment.connected(a, b)) return [a, b];
      }
    }
    return undefined;
  }

  /**
   * Those that could not hear each other until now find out with the next pulse, even when one of them hands over in
   * between; any others at once.
   */
  #toleratedMs(sinceMs: number): number {
    const { exchangeMs, pulseMs } = this.#tolerated;
    const reconnected = this.#segment.nodes.map((node) => node.reconnectedAtMs);
    const healed = reconnected.some((atMs) => Math.abs(sinceMs - atMs) <= pulseMs);
    return healed ? pulseMs + exchangeMs : exchangeMs;
  }

  #end(address: string, sinceMs: number): void {
    this.longestDoubleMs = Math.max(this.longestDoubleMs, this.#segment.nowMs - sinceMs);
    this.#doubleSinceMs.delete(address);
  }

  #report(what: string): void {
    this.violations.push({ atMs: this.#segment.nowMs, what });
  }
}
