import type { Clock } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import { backoffMs } from './backoff.ts';
import { Delays } from './delays.ts';

export type Work = (key: string, signal: AbortSignal) => Promise<void | { againAfterMs: number }>;

export type QueueOptions = {
  /** Brings one key to what it should be, whatever the reason it was added for. What it throws is tried again. */
  readonly work: Work;
  /** How many keys are worked on at once. */
  readonly concurrency: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Told of every failure, `attempt` counting from 1. What it throws itself ends `run`. */
  readonly onFailure?: (key: string, error: unknown, attempt: number) => void;
};

/**
 * Keys that want work. A key added while it waits is one piece of work; added while it is worked on, it is worked
 * on once more afterwards: every `add` is followed by a run that began after it. One key is never worked on twice
 * at a time. A failed key comes back after a wait that grows from 0.2 s to 30 s, with full jitter.
 */
export class KeyedQueue {
  readonly #options: QueueOptions;
  readonly #ready = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #failures = new Map<string, number>();
  /** Kept apart, because a run makes the retry of its key needless, but not what was asked for later. */
  readonly #retries: Delays;
  readonly #later: Delays;
  readonly #broken = Promise.withResolvers<never>();
  #signal: AbortSignal | undefined;
  #starting = false;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#retries = new Delays(options.clock, (key) => this.add(key));
    this.#later = new Delays(options.clock, (key) => this.add(key));
    this.#broken.promise.catch(() => {});
  }

  /** Keys waiting for their turn or worked on now; not those that are due later. */
  get size(): number {
    return this.#ready.size + this.#running.size;
  }

  /** Never calls `work` itself: what is added in one go is all there before the first of it begins. */
  add(key: string): void {
    this.#ready.add(key);
    this.#start();
  }

  /** Adds the key when `ms` have passed. Of several times for one key the earliest counts. */
  addAfter(key: string, ms: number): void {
    this.#later.set(key, ms);
  }

  /**
   * Works until the signal is aborted, then waits for what is under way; that sees the same signal. What was not
   * begun or had to be broken off is still in the queue.
   */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#signal !== undefined) throw new Error('this queue is already running');
    this.#signal = signal;
    try {
      this.#start();
      await Promise.race([aborted(signal), this.#broken.promise]);
    } finally {
      this.#signal = undefined;
      this.#retries[Symbol.dispose]();
      this.#later[Symbol.dispose]();
      while (this.#running.size > 0) await Promise.all(this.#running.values());
    }
  }

  #start(): void {
    if (this.#starting) return;
    this.#starting = true;
    queueMicrotask(() => {
      this.#starting = false;
      this.#startNow();
    });
  }

  #startNow(): void {
    const signal = this.#signal;
    if (signal === undefined || signal.aborted) return;
    for (const key of this.#ready) {
      if (this.#running.size >= this.#options.concurrency) return;
      // It stays ready, and starts again when this run of it ends.
      if (this.#running.has(key)) continue;
      this.#ready.delete(key);
      this.#retries.cancel(key);
      this.#running.set(key, this.#work(key, signal));
    }
  }

  async #work(key: string, signal: AbortSignal): Promise<void> {
    try {
      const again = await this.#options.work(key, signal);
      this.#failures.delete(key);
      if (again !== undefined) this.addAfter(key, again.againAfterMs);
    } catch (error) {
      this.#failed(key, error, signal);
    } finally {
      this.#running.delete(key);
      this.#start();
    }
  }

  #failed(key: string, error: unknown, signal: AbortSignal): void {
    // It was told to stop: no failure, and not done either.
    if (signal.aborted) return void this.#ready.add(key);
    const { random, log, onFailure } = this.#options;
    const attempt = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, attempt);
    const waitMs = backoffMs(attempt, random);
    this.#retries.set(key, waitMs);
    log.warn('work failed', { key, error, attempt, waitMs: Math.round(waitMs) });
    try {
      onFailure?.(key, error, attempt);
    } catch (cause) {
      this.#broken.reject(new Error(`reporting the failure of ${key}`, { cause }));
    }
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}
