import { keyOf, type KubeObject } from './object.ts';

export type Change<T> = {
  readonly kind: 'added' | 'changed' | 'deleted';
  /** `namespace/name`, or `name` where there is no namespace. */
  readonly key: string;
  /** As it is now; of a deleted one, the last that is known. */
  readonly object: T;
  readonly before?: T;
};

/** The objects last seen, and what each piece of news changes about them. Pure: it tells, nobody is called. */
export class Store<T extends KubeObject> {
  readonly #objects = new Map<string, T>();

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  values(): IterableIterator<T> {
    return this.#objects.values();
  }

  /**
   * A complete list replaces everything. The changes come one by one, each after the store has followed it; what
   * disappeared comes first, so that what it held is free before others ask for it.
   */
  *replace(objects: readonly T[]): Generator<Change<T>, void> {
    const listed = new Map(objects.map((object) => [keyOf(object), object]));
    for (const [key, before] of this.#objects)
      if (!isSame(listed.get(key), before)) yield this.#forget(key, before, before);
    for (const object of objects) yield* this.put(object);
  }

  /** An object as it is now. One of the same name with another uid is another object: the old one was deleted. */
  *put(object: T): Generator<Change<T>, void> {
    const key = keyOf(object);
    const before = this.#objects.get(key);
    if (before !== undefined && !isSame(object, before)) yield this.#forget(key, before, before);
    if (before !== undefined && isUnchanged(object, before)) return;
    this.#objects.set(key, object);
    if (before !== undefined && isSame(object, before))
      yield { kind: 'changed', key, object, before };
    else yield { kind: 'added', key, object };
  }

  /** An object is gone; what is known under its name may already be its successor, which stays. */
  *remove(object: T): Generator<Change<T>, void> {
    const key = keyOf(object);
    const before = this.#objects.get(key);
    if (before !== undefined && isSame(object, before)) yield this.#forget(key, object, before);
  }

  #forget(key: string, object: T, before: T): Change<T> {
    this.#objects.delete(key);
    return { kind: 'deleted', key, object, before };
  }
}

function isSame(a: KubeObject | undefined, b: KubeObject): boolean {
  return a !== undefined && a.metadata.uid === b.metadata.uid;
}

function isUnchanged(a: KubeObject, b: KubeObject): boolean {
  const { uid, resourceVersion } = a.metadata;
  return (
    resourceVersion !== undefined &&
    uid === b.metadata.uid &&
    resourceVersion === b.metadata.resourceVersion
  );
}
