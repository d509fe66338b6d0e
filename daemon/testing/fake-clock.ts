import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../clock.ts';

type Sleeper = { readonly dueMs: number; readonly order: number; readonly wake: () => void };

/** A clock that moves only when told. */
export class FakeClock implements Clock {
  readonly #sleepers = new Set<Sleeper>();
  readonly #startMs: number;
  #nowMs: number;
  #order = 0;

  /** Starts at `startMs` after 2026-01-01. */
  constructor(startMs = 0) {
    this.#startMs = Date.UTC(2026, 0, 1);
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wall(): Date {
    return new Date(this.#startMs + this.#nowMs);
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sleeper: Sleeper = {
      dueMs: this.#nowMs + Math.max(0, ms),
      order: this.#order++,
      wake: () => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', abort);
        resolve();
      },
    };
    const abort = () => {
      this.#sleepers.delete(sleeper);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
    this.#sleepers.add(sleeper);
    await promise;
  }

  /** How many sleeps are under way. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /** Lets everything that can go on without time passing go on. */
  async settle(): Promise<void> {
    await turn();
    await turn();
  }

  /** Lets `ms` pass: sleepers wake in the order they are due, each seeing its own time and what others did before. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await this.settle();
    for (let next = this.#first(untilMs); next !== undefined; next = this.#first(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.wake();
      await this.settle();
    }
    this.#nowMs = untilMs;
  }

  /** Time leaps, as it does for a process that was stopped: nothing runs in between, everybody due wakes late. */
  async leap(ms: number): Promise<void> {
    this.#nowMs += ms;
    await this.advance(0);
  }

  #first(untilMs: number): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (sleeper.dueMs > untilMs) continue;
      if (first === undefined || sleeper.dueMs < first.dueMs) first = sleeper;
      else if (sleeper.dueMs === first.dueMs && sleeper.order < first.order) first = sleeper;
    }
    return first;
  }
}
