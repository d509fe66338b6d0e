import { type Model, type Objects, readModel } from '../crds/model.ts';
import { defaultNamespace } from '../crds/names.ts';
import type { Occupied } from '../crds/pool.ts';
import type { KubeObject } from '../kube/object.ts';
import { formatRange } from '../net/range.ts';
import { isNodePool } from './node-addresses.ts';
import { occupyModel } from './occupied.ts';

/**
 * The model of all pools and advertisements, and what of the pools the cluster has itself. It is read again only
 * when one of them says something else than before: their status, which we write ourselves, is none of it.
 */
export class Catalogue {
  readonly #read: () => Objects;
  readonly #said = new Map<string, string>();
  readonly #occupied = new Map<string, readonly Occupied[]>();
  /** As the objects say it. */
  #written: Model = { pools: [], advertisements: [], problems: [] };
  #model: Model = this.#written;
  #stale = true;

  constructor(read: () => Objects) {
    this.#read = read;
  }

  get model(): Model {
    if (this.#stale) {
      this.#stale = false;
      const objects = this.#read();
      this.#written = readModel(objects, this.#written);
      const occupied = [...this.#occupied.values()].flat();
      this.#model = occupyModel(this.#written, occupied, objects.namespace ?? defaultNamespace);
    }
    return this.#model;
  }

  /** Whether any pool gives the addresses of nodes. */
  get hasNodePools(): boolean {
    return this.model.pools.some(isNodePool);
  }

  /** Takes note of an object as it is now; true when the model is another one than before. */
  take(key: string, object: KubeObject | undefined): boolean {
    return this.#note(key, object === undefined ? undefined : essence(object));
  }

  /** Takes note of the addresses that an object of the cluster has; true when they are others than before. */
  occupy(key: string, occupied: readonly Occupied[]): boolean {
    if (occupied.length === 0) this.#occupied.delete(key);
    else this.#occupied.set(key, occupied);
    const says = occupied.map(({ range, by }) => `${formatRange(range)} ${by}`);
    return this.#note(key, says.length === 0 ? undefined : says.join());
  }

  #note(key: string, says: string | undefined): boolean {
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
