import type { Clock } from '../daemon/clock.ts';

/**
 * A permission that ends by itself. Its signal asks the clock whenever it is asked: a process that was stopped and
 * goes on finds `aborted` true at once, before any timer had its turn. Time is the local monotonic clock; what
 * stops that too, as the snapshot of a virtual machine does, only the precondition on a write can catch.
 */
export class Deadline implements Disposable {
  readonly #clock: Clock;
  readonly #expired: () => Error;
  readonly #controller = new AbortController();
  readonly #timer = new AbortController();
  #atMs: number;

  constructor(clock: Clock, atMs: number, expired: () => Error) {
    this.#clock = clock;
    this.#atMs = atMs;
    this.#expired = expired;
    const { signal } = this.#controller;
    Object.defineProperties(signal, {
      aborted: { get: () => this.#isOver() },
      throwIfAborted: {
        value: () => {
          if (this.#isOver()) throw signal.reason;
        },
      },
    });
    // Ends only by being cancelled.
    this.#expire().catch(() => {});
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Moves the end. One that has passed does not come back. */
  extend(atMs: number): void {
    if (!this.#isOver()) this.#atMs = atMs;
  }

  end(reason: unknown): void {
    this.#timer.abort();
    this.#controller.abort(reason);
  }

  [Symbol.dispose](): void {
    this.#timer.abort();
  }

  async #expire(): Promise<void> {
    while (!this.#isOver())
      await this.#clock.sleep(this.#atMs - this.#clock.nowMs(), this.#timer.signal);
  }

  #isOver(): boolean {
    const { signal } = this.#controller;
    const aborted = () => Reflect.get(AbortSignal.prototype, 'aborted', signal) === true;
    if (!aborted() && this.#clock.nowMs() >= this.#atMs) this.end(this.#expired());
    return aborted();
  }
}
