import { type Model, type Objects, readModel } from '../crds/model.ts';
import { defaultNamespace, nodeNetworkKind } from '../crds/names.ts';
import { type Kind, kinds } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Sighting } from '../crds/pool.ts';
import { formatAddress } from '../net/address.ts';
import { formatRange, type Range } from '../net/range.ts';
import { placeModel } from './ground.ts';
import { isNodePool } from './node-addresses.ts';
import { readTerrain, type Terrain } from './terrain.ts';

/**
 * The model of all pools and advertisements on the ground that the cluster stands on. It is made again only when one
 * of them says something else than before: the status of a pool, which we write ourselves, is none of it.
 */
export class Catalogue {
  readonly #read: () => Objects;
  readonly #said = new Map<string, string>();
  readonly #terrain = new Map<string, Terrain>();
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
      this.#model = placeModel(this.#written, {
        occupied: [...this.#terrain.values()].flatMap(({ occupied }) => occupied),
        foreign: this.#foreign(),
        reach: this.#reach(),
        namespace: objects.namespace ?? defaultNamespace,
      });
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

  /** Takes note of what an object of the cluster says about the ground; true when that is something else than before. */
  survey(kind: Kind, name: string, object: KubeObject | undefined): boolean {
    const key = groundKey(kind, name);
    const terrain = object === undefined ? undefined : readTerrain(kind, object);
    if (terrain === undefined) this.#terrain.delete(key);
    else this.#terrain.set(key, terrain);
    return this.#note(key, terrain === undefined ? undefined : gist(terrain));
  }

  /** What the speaker of each node has said, if it has; of a node that is gone, that does not count. */
  #reports(): readonly { readonly node: Terrain; readonly report: Terrain | undefined }[] {
    const before = groundKey(kinds.node, '');
    const nodes = [...this.#terrain].filter(([key]) => key.startsWith(before));
    return nodes.map(([key, node]) => ({
      node,
      report: this.#terrain.get(groundKey(nodeNetworkKind, key.slice(before.length))),
    }));
  }

  /** The networks of all nodes. */
  #reach(): readonly Range[] | undefined {
    const networks = this.#reports().map(({ report }) => report?.networks);
    if (networks.includes(undefined)) return undefined;
    const reach = networks.flatMap((some) => some ?? []);
    return reach.length === 0 ? undefined : reach;
  }

  /** What a lost node saw before, its speaker may not be there to take back; who holds the address now sees for itself. */
  #foreign(): readonly Sighting[] {
    return this.#reports().flatMap(({ node: { unheardSince }, report }) =>
      (report?.foreign ?? []).filter(
        ({ since }) => unheardSince === undefined || since >= unheardSince,
      ),
    );
  }

  #note(key: string, says: string | undefined): boolean {
    if (this.#said.get(key) === says) return false;
    if (says === undefined) this.#said.delete(key);
    else this.#said.set(key, says);
    this.#stale = true;
    return true;
  }
}

const groundKey = ({ kind }: Kind, name: string): string => `${kind}/${name}`;

const gist = ({ occupied, networks, foreign = [], unheardSince }: Terrain): string =>
  [
    unheardSince?.toISOString() ?? 'heard',
    ...foreign.map(
      ({ state, address, mac, link }) => `${state} ${formatAddress(address)} ${mac} ${link}`,
    ),
    ...occupied.map(({ range, by }) => `${formatRange(range)} ${by}`),
    ...(networks?.map(formatRange) ?? ['unknown']),
  ].join();

function essence(object: KubeObject): string {
  const { uid, labels, creationTimestamp } = object.metadata;
  return JSON.stringify([uid, creationTimestamp, labels, 'spec' in object ? object.spec : null]);
}
