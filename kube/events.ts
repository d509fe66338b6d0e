import type { Clock } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import {
  firstEvent,
  foldKey,
  formatTime,
  type Happening,
  type Reporter,
  type Subject,
} from './event-fold.ts';
import { kinds } from './kinds.ts';
import type { Event } from './object.ts';
import { ApiError, type Transport } from './transport.ts';
import { create, mergePatch, type Target } from './write.ts';

/** Most events that wait to be written, and that are remembered to be counted on. */
const mostWaiting = 1_000;
const mostRemembered = 1_000;
/** Events are for people: ten a second are more than anybody reads, and nothing to an API server. */
const spacingMs = 100;
const attempts = 3;
const retryMs = 1_000;

type Entry = {
  readonly event: Event;
  /** Said so many times since it was last written. */
  unwritten: number;
  /** As the API server counts it; `undefined` while it is not known to exist there. */
  written: number | undefined;
  lastTimestamp: string;
};

/** An event, so many times, and when last. */
type Saying = { readonly count: number; readonly lastTimestamp: string };

/**
 * Writes Kubernetes Events about objects. The same one again is counted instead of written anew. It never holds
 * anybody up and never throws: an event is not worth an outage.
 */
export class EventRecorder {
  readonly #transport: Transport;
  readonly #reporter: Reporter;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #entries = new Map<string, Entry>();
  readonly #waiting = new Set<Entry>();
  readonly #closing = new AbortController();
  #writing: Promise<void> | undefined;
  #dropped = 0;
  #written = 0;

  constructor(options: Reporter & { transport: Transport; clock: Clock; log: Log }) {
    this.#transport = options.transport;
    this.#reporter = options;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Events that were given up: too many waited, or the API server would not have them. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Events written, the same one again included. */
  get written(): number {
    return this.#written;
  }

  record(about: Subject, happening: Happening): void {
    if (this.#closing.signal.aborted) return;
    const entry = this.#entryOf(about, happening);
    entry.unwritten++;
    entry.lastTimestamp = formatTime(this.#clock.wall());
    this.#waiting.add(entry);
    if (this.#waiting.size > mostWaiting) {
      const [oldest] = this.#waiting;
      if (oldest !== undefined) {
        this.#waiting.delete(oldest);
        oldest.unwritten = 0;
        this.#drop(oldest, new Error('too many events are waiting'));
      }
    }
    this.#writing ??= this.#writeAll();
  }

  /** Writes what still waits, until the signal is aborted: the rest is given up, and what is recorded afterwards. */
  async close(signal: AbortSignal): Promise<void> {
    const stop = () => this.#closing.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    await this.#writing;
    stop();
    signal.removeEventListener('abort', stop);
  }

  #entryOf(about: Subject, happening: Happening): Entry {
    const key = foldKey(about, happening);
    const known = this.#entries.get(key);
    // What was said last is remembered longest.
    this.#entries.delete(key);
    const entry = known ?? this.#newEntry(about, happening);
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > mostRemembered && oldest !== undefined) this.#entries.delete(oldest);
    return entry;
  }

  #newEntry(about: Subject, happening: Happening): Entry {
    const event = firstEvent(about, happening, this.#reporter, this.#clock.wall());
    return { event, unwritten: 0, written: undefined, lastTimestamp: '' };
  }

  async #writeAll(): Promise<void> {
    for (const entry of this.#waiting) {
      if (this.#closing.signal.aborted) return;
      // Said again while it is being written, it waits anew, as the last.
      this.#waiting.delete(entry);
      const saying = { count: entry.unwritten, lastTimestamp: entry.lastTimestamp };
      entry.unwritten = 0;
      await this.#write(entry, saying);
      await this.#pause(spacingMs);
    }
    this.#writing = undefined;
  }

  async #write(entry: Entry, saying: Saying): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        entry.written = await this.#send(entry, saying, attempt > 1);
        this.#written++;
        return;
      } catch (error) {
        const last = attempt === attempts || this.#closing.signal.aborted;
        if (last || isFinal(error)) return this.#drop(entry, error);
        await this.#pause(retryMs * attempt);
      }
    }
  }

  /** Returns the count that now stands. Events vanish after an hour, and others may be there from before. */
  async #send(entry: Entry, saying: Saying, isRepeated: boolean): Promise<number> {
    if (entry.written !== undefined) {
      try {
        return await this.#countOn(entry, { ...saying, count: entry.written + saying.count });
      } catch (error) {
        if (!isCode(error, 404)) throw error;
        entry.written = undefined;
      }
    }
    const { count, lastTimestamp } = saying;
    try {
      const event = { ...entry.event, count, lastTimestamp, firstTimestamp: lastTimestamp };
      await create(this.#transport, kinds.event, event, this.#closing.signal);
      return count;
    } catch (error) {
      if (!isCode(error, 409)) throw error;
      // Patching nothing reads it, and needs no further permission.
      const there = await this.#patch<Event>(entry, {});
      // It was written, and only the answer was lost.
      const isOurs = there.count === count && there.lastTimestamp === lastTimestamp;
      if (isRepeated && isOurs) return count;
      return this.#countOn(entry, { lastTimestamp, count: (there.count ?? 1) + count });
    }
  }

  async #countOn(entry: Entry, saying: Saying): Promise<number> {
    await this.#patch(entry, saying);
    return saying.count;
  }

  #patch<T>(entry: Entry, patch: object): Promise<T> {
    return mergePatch<T>(this.#transport, targetOf(entry), patch, this.#closing.signal);
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#closing;
    await this.#clock.sleep(ms, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  #drop(entry: Entry, error: unknown): void {
    this.#dropped++;
    const fields = { error, reason: entry.event.reason, dropped: this.#dropped };
    if (this.#dropped === 1) this.#log.warn('an event was given up', fields);
    else this.#log.debug('an event was given up', fields);
  }
}

function targetOf({ event }: Entry): Target {
  return { kind: kinds.event, namespace: event.metadata.namespace, name: event.metadata.name };
}

function isCode(error: unknown, code: number): boolean {
  return error instanceof ApiError && error.code === code;
}

/** Asking again would not change the answer. */
function isFinal(error: unknown): boolean {
  return error instanceof ApiError && error.code >= 400 && error.code < 500 && error.code !== 429;
}
