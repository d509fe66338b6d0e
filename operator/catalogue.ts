import { type Model, type Objects, readModel } from '../crds/model.ts';
import type { KubeObject } from '../kube/object.ts';
import { isNodePool } from './node-addresses.ts';

/**
 * The model of all pools and advertisements. It is read again only when one of them says
 * something else than before: their status, which we write ourselves, is none of it.
 */
export class Catalogue {
  readonly #read: () => Objects;
  readonly #said = new Map<string, string>();
  #model: Model = { pools: [], advertisements: [], problems: [] };
  #stale = true;

  constructor(read: () => Objects) {
    this.#read = read;
  }

  get model(): Model {
    if (this.#stale) {
      this.#stale = false;
      this.#model = readModel(this.#read(), this.#model);
    }
    return this.#model;
  }

  /** Whether any pool gives the addresses of nodes. */
  get hasNodePools(): boolean {
    return this.model.pools.some(isNodePool);
  }

  /** Takes note of an object as it is now; true when the model is another one than before. */
  take(key: string, object: KubeObject | undefined): boolean {
    const says = object === undefined ? undefined : essence(object);
    if (this.#said.get(key) === says) return false;
    if (says === undefined) this.#said.delete(key);
    else this.#said.set(key, says);
    this.#stale = true;
    return true;
  }
}

function essence(object: KubeObject): string {
  const { uid, labels, creationTimestamp } = object.metadata;
  return JSON.stringify([uid, creationTimestamp, labels, 'spec' in object ? object.spec : null]);
}
