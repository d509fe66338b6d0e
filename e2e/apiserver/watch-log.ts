import type { Stored } from './resource.ts';

export type WatchEvent = {
  readonly revision: number;
  readonly kind: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly key: string;
  readonly namespace: string;
  /** The state after the event; for a deletion the last state under the deletion's revision. */
  readonly object: Stored;
  readonly before: Stored | undefined;
};

/** The recent history of one collection, and those who listen for more. */
export class WatchLog {
  readonly #limit: number;
  readonly #listeners = new Map<string, Set<(event: WatchEvent) => void>>();
  #events: WatchEvent[] = [];
  #start = 0;
  #floor: number;

  /** Remembers at most `limit` events; nothing before the revision `floor`. */
  constructor(limit: number, floor: number) {
    this.#limit = limit;
    this.#floor = floor;
  }

  append(event: WatchEvent): void {
    this.#events.push(event);
    if (this.#events.length - this.#start > this.#limit) {
      this.#floor = this.#events[this.#start]?.revision ?? this.#floor;
      this.#start += 1;
      // Forgetting in bulk keeps each append cheap.
      if (this.#start >= this.#limit) {
        this.#events = this.#events.slice(this.#start);
        this.#start = 0;
      }
    }
    for (const scope of new Set(['', event.namespace])) {
      for (const listener of this.#listeners.get(scope) ?? []) listener(event);
    }
  }

  /** Everything after `revision` in order; undefined when part of it is forgotten. */
  since(revision: number): readonly WatchEvent[] | undefined {
    if (revision < this.#floor) return undefined;
    let low = this.#start;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#events.slice(low);
  }

  /** Forgets everything up to `revision`. */
  compact(revision: number): void {
    this.#events = [...(this.since(Math.max(revision, this.#floor)) ?? [])];
    this.#start = 0;
    this.#floor = Math.max(revision, this.#floor);
  }

  get floor(): number {
    return this.#floor;
  }

  /** Calls for each event of the namespace ('' for all), in order, while the write is being done. */
  listen(namespace: string, listener: (event: WatchEvent) => void): Disposable {
    const listeners = this.#listeners.get(namespace) ?? new Set();
    this.#listeners.set(namespace, listeners);
    listeners.add(listener);
    return {
      [Symbol.dispose]: () => {
        listeners.delete(listener);
        if (listeners.size === 0) this.#listeners.delete(namespace);
      },
    };
  }
}
