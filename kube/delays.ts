import type { Clock } from '../daemon/clock.ts';

/** Keys that are due later, each once: of two times for one key the earlier counts. */
export class Delays implements Disposable {
  readonly #clock: Clock;
  readonly #due: (key: string) => void;
  readonly #waiting = new Map<
    string,
    { readonly atMs: number; readonly cancel: AbortController }
  >();

  constructor(clock: Clock, due: (key: string) => void) {
    this.#clock = clock;
    this.#due = due;
  }

  set(key: string, ms: number): void {
    const atMs = this.#clock.nowMs() + ms;
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined && waiting.atMs <= atMs) return;
    this.cancel(key);
    const cancel = new AbortController();
    this.#waiting.set(key, { atMs, cancel });
    // A sleep only ever fails by being cancelled.
    this.#clock.sleep(ms, cancel.signal).then(
      () => {
        this.#waiting.delete(key);
        this.#due(key);
      },
      () => {},
    );
  }

  cancel(key: string): void {
    this.#waiting.get(key)?.cancel.abort();
    this.#waiting.delete(key);
  }

  [Symbol.dispose](): void {
    for (const key of this.#waiting.keys()) this.cancel(key);
  }
}
