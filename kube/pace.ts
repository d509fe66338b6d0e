import type { Clock } from '../daemon/clock.ts';

/** Lets so many through a second, and so many at once after a rest. */
export class Pace {
  readonly #clock: Clock;
  readonly #spacingMs: number;
  readonly #leadMs: number;
  #nextAtMs = -Infinity;

  constructor({ perSecond, atOnce, clock }: { perSecond: number; atOnce: number; clock: Clock }) {
    this.#clock = clock;
    this.#spacingMs = 1_000 / perSecond;
    this.#leadMs = (atOnce - 1) * this.#spacingMs;
  }

  /** Resolves when it is the caller's turn, in the order of the calls; rejects when the signal is aborted first. */
  async turn(signal?: AbortSignal): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const atMs = Math.max(this.#nextAtMs, nowMs - this.#leadMs);
    this.#nextAtMs = atMs + this.#spacingMs;
    if (atMs > nowMs) await this.#clock.sleep(atMs - nowMs, signal);
  }
}
