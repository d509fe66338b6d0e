import { ensureObject, type JsonObject } from './json.ts';
import { keyOf, namespaceOf, type Stored } from './resource.ts';
import { WatchLog } from './watch-log.ts';

type Collection = {
  readonly objects: Map<string, Stored>;
  /** The keys of `objects` in order. */
  readonly keys: string[];
  readonly log: WatchLog;
};

/** All objects under one revision counter, as etcd keeps them. Reads and writes are synchronous. */
export class Store {
  readonly #collections = new Map<string, Collection>();
  readonly #eventLimit: number;
  #revision = 1;

  constructor(eventLimit: number) {
    this.#eventLimit = eventLimit;
  }

  get revision(): number {
    return this.#revision;
  }

  get(collection: string, key: string): Stored | undefined {
    return this.#open(collection).objects.get(key);
  }

  log(collection: string): WatchLog {
    return this.#open(collection).log;
  }

  /** How many objects the collection holds. */
  size(collection: string): number {
    return this.#open(collection).keys.length;
  }

  /** Takes the draft over: it gets the next revision and must not be changed again. */
  put(collection: string, draft: JsonObject): Stored {
    const { objects, keys, log } = this.#open(collection);
    const object = this.#stamp(draft);
    const key = keyOf(namespaceOf(object), object.metadata.name);
    const before = objects.get(key);
    objects.set(key, object);
    if (before === undefined) keys.splice(position(keys, key), 0, key);
    const kind = before === undefined ? 'ADDED' : 'MODIFIED';
    const namespace = namespaceOf(object);
    log.append({ revision: this.#revision, kind, key, namespace, object, before });
    return object;
  }

  /** Removes it; returns the last state under the revision of the deletion. */
  remove(collection: string, key: string): Stored | undefined {
    const { objects, keys, log } = this.#open(collection);
    const before = objects.get(key);
    if (before === undefined) return undefined;
    objects.delete(key);
    keys.splice(position(keys, key), 1);
    const object = this.#stamp({ ...before, metadata: { ...before.metadata } });
    const namespace = namespaceOf(object);
    log.append({ revision: this.#revision, kind: 'DELETED', key, namespace, object, before });
    return object;
  }

  #stamp(draft: JsonObject): Stored {
    this.#revision += 1;
    ensureObject(draft, 'metadata')['resourceVersion'] = String(this.#revision);
    // The write path has checked apiVersion, kind, name and uid by now.
    return draft as Stored;
  }

  /** The objects of a namespace ('' for all) in key order, after the key `after`. */
  *values(collection: string, namespace: string, after = ''): Generator<Stored> {
    const { objects, keys } = this.#open(collection);
    const prefix = namespace === '' ? '' : keyOf(namespace, '');
    let index = position(keys, after > prefix ? after : prefix);
    if (keys[index] === after) index += 1;
    for (let key = keys[index]; key?.startsWith(prefix) === true; key = keys[++index]) {
      const object = objects.get(key);
      if (object !== undefined) yield object;
    }
  }

  /**
   * The same at an earlier revision, by undoing what happened since; undefined when the log no longer
   * reaches back that far. This is what makes the pages of one list agree with each other.
   */
  valuesAt(revision: number, collection: string, namespace: string, after = '') {
    const { log } = this.#open(collection);
    const since = log.since(revision);
    if (since === undefined) return undefined;
    if (since.length === 0) return this.values(collection, namespace, after);
    const past = new Map<string, Stored | undefined>();
    for (const event of since) if (!past.has(event.key)) past.set(event.key, event.before);
    const objects: Stored[] = [];
    for (const object of this.values(collection, namespace, after)) {
      if (!past.has(keyOf(namespaceOf(object), object.metadata.name))) objects.push(object);
    }
    for (const [key, object] of past) {
      if (object === undefined || key <= after) continue;
      if (namespace === '' || namespaceOf(object) === namespace) objects.push(object);
    }
    const order = (a: Stored): string => keyOf(namespaceOf(a), a.metadata.name);
    return objects.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  }

  /** Forgets all history: whoever watches from before must list again. */
  compact(): void {
    for (const { log } of this.#collections.values()) log.compact(this.#revision);
  }

  #open(name: string): Collection {
    const known = this.#collections.get(name);
    if (known !== undefined) return known;
    const log = new WatchLog(this.#eventLimit, 0);
    const made = { objects: new Map<string, Stored>(), keys: [], log };
    this.#collections.set(name, made);
    return made;
  }
}

/** Where the key stands, or would stand. */
function position(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
