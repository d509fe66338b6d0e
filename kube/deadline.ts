import type { Clock } from '../daemon/clock.ts';

/**
 * A permission that ends by itself. Its signal asks the clock whenever it is asked: a process that was stopped and
 * goes on finds `aborted` true at once, before any timer had its turn. Time is the local monotonic clock; what
 * stops that too, as a pause of a virtual machine does, is not seen here; docs/decisions/no-address-twice.md says what
 * becomes of it.
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
    letAsk(this.#controller.signal, () => this.#isOver());
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
    if (!wasAborted(signal) && this.#clock.nowMs() >= this.#atMs) this.end(this.#expired());
    return wasAborted(signal);
  }
}

/** As `AbortSignal.any`, which would learn of a deadline by its timer: this asks them whenever it is asked. */
export function anyOf(...signals: readonly AbortSignal[]): AbortSignal {
  const controller = new AbortController();
  const { signal } = controller;
  const isOver = () => {
    if (wasAborted(signal)) return true;
    const ended = signals.find(({ aborted }) => aborted);
    if (ended === undefined) return false;
    // The others may live as long as the process, and would keep all that hangs on this one.
    for (const each of signals) each.removeEventListener('abort', isOver);
    controller.abort(ended.reason);
    return true;
  };
  for (const each of signals) each.addEventListener('abort', isOver, { once: true });
  letAsk(signal, isOver);
  isOver();
  return signal;
}

function letAsk(signal: AbortSignal, isOver: () => boolean): void {
  Object.defineProperties(signal, {
    aborted: { get: isOver },
    throwIfAborted: {
      value: () => {
        if (isOver()) throw signal.reason;
      },
    },
  });
}

/** Without asking. */
const wasAborted = (signal: AbortSignal): boolean =>
  Reflect.get(AbortSignal.prototype, 'aborted', signal) === true;
