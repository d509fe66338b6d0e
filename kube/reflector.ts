import type { Clock } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import { backoffMs } from './backoff.ts';
import { apiVersionOf, pathOf, type Kind } from './kinds.ts';
import type { KubeObject, Metadata } from './object.ts';
import { Store, type Change } from './store.ts';
import type { Call, Transport } from './transport.ts';
import {
  isExpired,
  isFromTheFuture,
  isOlder,
  parsePage,
  parseWatchEvent,
  type WatchEvent,
} from './watch-event.ts';

const pageSize = 500;
/** As client-go's reflectors do: watches end and begin again at different times everywhere. */
const watchSeconds = { least: 280, spread: 20 };
/** API servers send a bookmark about once a minute: longer silence is a connection that only looks alive. */
const defaultIdleMs = 90_000;
/** A watch that lasted this long ends the row of failures. */
const healthyMs = 5_000;
/**
 * The longest wait before the next attempt. What a client does not know while it waits is not done: an API server that is
 * back after a minute has all its clients again within this time, which is a few small requests a second from each node.
 */
const mostWaitMs = 5_000;
/** So many long watches in a row without one line, not even a bookmark: we may be waiting at a wrong version. */
const silentWatches = 3;

export type ReflectorOptions<T extends KubeObject> = {
  readonly transport: Transport;
  readonly kind: Kind;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /**
   * Projects away what nobody reads, before it is stored. Name, namespace, uid and resourceVersion must stay: by
   * them objects are told apart. Without it, only `managedFields` goes.
   */
  readonly keep?: (object: T) => T;
  /** Called in order, at once, after the store has followed. What it throws ends `run`. */
  readonly onChange?: (change: Change<T>) => void;
  /** Called when a complete list has been taken in, after its changes. What it throws ends `run`. */
  readonly onList?: () => void;
  readonly idleMs?: number;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => number;
};

/**
 * A copy of one kind of objects that follows the API server: every object that was there, changed or went is told,
 * through resets, silence, errors and expired versions. What happened while the server was away is told as the
 * difference. It never gives up; while it cannot reach the server, the copy stays as it was.
 */
export class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #log: Log;
  readonly #store = new Store<T>();
  readonly #synced = Promise.withResolvers<void>();
  /** Up to where everything is known; `undefined` when only a new list can tell. */
  #version: string | undefined;
  #failures = 0;
  #silent = 0;
  #heard = false;
  #complaint: string | undefined;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#log = options.log.with({ kind: options.kind.kind });
    // Waiting for it is not a duty.
    this.#synced.promise.catch(() => {});
  }

  /** Resolves after the first complete list; rejects where `run` ends before there was one. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  get size(): number {
    return this.#store.size;
  }

  /** By `namespace/name`, or `name` where there is no namespace. */
  get(key: string): T | undefined {
    return this.#store.get(key);
  }

  values(): IterableIterator<T> {
    return this.#store.values();
  }

  /** Ends when the signal is aborted. Rejects only with what `keep`, `onChange` or `onList` threw. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) await this.#follow(signal);
    } finally {
      this.#synced.reject(signal.aborted ? signal.reason : new Error('the reflector has ended'));
    }
  }

  /** One list where it is needed, one watch to its end, and the wait before the next. */
  async #follow(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    let watchedFromMs = Infinity;
    let broken: { readonly error: unknown } | undefined;
    this.#heard = false;
    try {
      if (this.#version === undefined) await this.#list(signal);
      watchedFromMs = clock.nowMs();
      await this.#watch(signal);
    } catch (error) {
      if (error instanceof CallbackError) throw error;
      broken = { error };
    }
    if (signal.aborted) return;
    const healthy = clock.nowMs() - watchedFromMs >= healthyMs;
    if (healthy) this.#failures = 0;
    this.#silent = healthy && !this.#heard ? this.#silent + 1 : 0;
    if (this.#mustList(broken?.error)) this.#version = undefined;
    // A watch that had its time and ended properly is no failure.
    if (broken === undefined && healthy) return;
    const atOnce = this.#failures === 0 && isExpired(broken?.error);
    this.#failures++;
    const pace = { mostMs: mostWaitMs };
    const waitMs = atOnce ? 0 : backoffMs(this.#failures, this.#options.random, pace);
    if (broken !== undefined) this.#complain(broken.error, waitMs);
    if (waitMs > 0) await clock.sleep(waitMs, signal).catch(ignoreAbort(signal));
  }

  #mustList(error: unknown): boolean {
    if (isExpired(error) || isFromTheFuture(error) || error instanceof WentBack) return true;
    if (this.#silent < silentWatches) return false;
    this.#silent = 0;
    return true;
  }

  async #list(signal: AbortSignal): Promise<void> {
    const objects: T[] = [];
    let next: string | undefined;
    let version: string;
    do {
      const call = this.#call({ limit: pageSize, continue: next });
      const page = parsePage(await this.#options.transport.call(call, signal));
      if (page === undefined) throw new Error(`GET ${call.path}: the answer is not a list`);
      for (const item of page.items) objects.push(this.#keep(item));
      ({ next, version } = page);
    } while (next !== undefined);
    this.#version = version;
    this.#tell(this.#store.replace(objects));
    this.#restored();
    this.#guard(() => this.#options.onList?.());
    this.#synced.resolve();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { transport, idleMs = defaultIdleMs, random } = this.#options;
    const call = this.#call({
      watch: true,
      resourceVersion: this.#version,
      allowWatchBookmarks: true,
      timeoutSeconds: watchSeconds.least + Math.floor(random() * watchSeconds.spread),
    });
    for await (const line of transport.lines(call, idleMs, signal)) {
      // What is still in the buffer when we stop belongs to nobody.
      if (signal.aborted) return;
      const event = parseWatchEvent(line);
      if (event === undefined) throw new Error(`GET ${call.path}: a line is not a watch event`);
      if (event.kind === 'error') throw event.error;
      this.#advance(event.version);
      this.#take(event);
    }
  }

  /** A server restored from a backup counts from further back: what we know may never have been. */
  #advance(version: string): void {
    if (this.#version !== undefined && isOlder(version, this.#version))
      throw new WentBack(`the server went back from version ${this.#version} to ${version}`);
    this.#version = version;
    this.#heard = true;
    this.#restored();
  }

  #take(event: Exclude<WatchEvent, { kind: 'error' }>): void {
    switch (event.kind) {
      case 'put':
        return this.#tell(this.#store.put(this.#keep(event.object)));
      case 'remove':
        return this.#tell(this.#store.remove(this.#keep(event.object)));
      case 'bookmark':
        return;
    }
  }

  #tell(changes: Iterable<Change<T>>): void {
    for (const change of changes) this.#guard(() => this.#options.onChange?.(change));
  }

  /** Items of a list lack what their list says once. */
  #keep(object: KubeObject): T {
    const { kind, keep = withoutManagedFields } = this.#options;
    const whole = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...object };
    // The one place that believes the API server about the shape of its objects.
    return this.#guard(() => keep(whole as KubeObject as T));
  }

  #guard<R>(callback: () => R): R {
    try {
      return callback();
    } catch (cause) {
      throw new CallbackError(`taking in a ${this.#options.kind.kind}`, { cause });
    }
  }

  #call(query: NonNullable<Call['query']>): Call {
    const { kind, namespace, labelSelector, fieldSelector } = this.#options;
    const path = pathOf(kind, { namespace });
    return { method: 'GET', path, query: { ...query, labelSelector, fieldSelector } };
  }

  /** One break is daily life; only a row of them is worth a warning, and each complaint once. */
  #complain(error: unknown, waitMs: number): void {
    const fields = { error, waitMs: Math.round(waitMs) };
    const complaint = String(error);
    if (this.#failures < 2 || complaint === this.#complaint) this.#log.debug('watch broke', fields);
    else {
      this.#complaint = complaint;
      this.#log.warn('cannot follow the API server', fields);
    }
  }

  #restored(): void {
    if (this.#complaint === undefined) return;
    this.#complaint = undefined;
    this.#log.info('following the API server again');
  }
}

class CallbackError extends Error {}
class WentBack extends Error {}

function withoutManagedFields<T extends KubeObject>(object: T): T {
  const { managedFields, ...metadata } = object.metadata as Metadata & { managedFields?: unknown };
  return managedFields === undefined ? object : { ...object, metadata };
}

function ignoreAbort(signal: AbortSignal): (error: unknown) => void {
  return (error) => {
    if (!signal.aborted) throw error;
  };
}
