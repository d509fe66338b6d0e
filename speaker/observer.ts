import { readModel, type Model } from '../crds/model.ts';
import { ipAddressPoolKind, l2AdvertisementKind, nodeNetworkKind } from '../crds/names.ts';
import type { Clock } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import { kinds, type Kind } from '../kube/kinds.ts';
import type { EndpointSlice, KubeObject, Node, Service } from '../kube/object.ts';
import { Reflector } from '../kube/reflector.ts';
import type { Change } from '../kube/store.ts';
import type { Transport } from '../kube/transport.ts';
import {
  extractNetwork,
  extractNode,
  Extracts,
  type KnownNetwork,
  serviceNameLabel,
} from './extracts.ts';
import type { World } from './plan.ts';

type Surroundings = {
  readonly transport: Transport;
  readonly namespace: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => number;
};

/** Follows all kinds of objects that a plan is made of. */
export class Observer {
  readonly #services: Reflector<Service>;
  readonly #slices: Reflector<EndpointSlice>;
  readonly #nodes: Reflector<Node>;
  readonly #pools: Reflector<KubeObject>;
  readonly #advertisements: Reflector<KubeObject>;
  readonly #networks: Reflector<KnownNetwork>;
  readonly #slicesOf = new Map<string, readonly EndpointSlice[]>();
  readonly #namespace: string;
  #onChange: () => void = () => {};
  #model: Model | undefined;
  /** The last form of objects that have a fault now. */
  #previous: Model | undefined;

  constructor(surroundings: Surroundings) {
    const { namespace, ...rest } = surroundings;
    const changed = () => this.#onChange();
    this.#namespace = namespace;
    const follow = <T extends KubeObject>(
      kind: Kind,
      own: { namespace?: string; keep: (object: T) => T; onChange?: (change: Change<T>) => void },
    ) =>
      new Reflector<T>({
        ...rest,
        kind,
        ...own,
        onChange: (change) => {
          own.onChange?.(change);
          changed();
        },
        onList: changed,
      });
    const extracts = new Extracts();
    this.#services = follow(kinds.service, { keep: extracts.service });
    this.#nodes = follow(kinds.node, { keep: extractNode });
    this.#slices = follow(kinds.endpointSlice, {
      keep: extracts.slice,
      onChange: (change) => this.#indexSlice(change),
    });
    const configuration = {
      namespace,
      keep: <T>(object: T) => object,
      onChange: () => this.#reread(),
    };
    this.#pools = follow(ipAddressPoolKind, configuration);
    this.#advertisements = follow(l2AdvertisementKind, configuration);
    this.#networks = follow(nodeNetworkKind, { namespace, keep: extractNetwork });
  }

  /** Resolves when everything has been listed once, but for where nodes stand: a plan can do without. */
  async synced(): Promise<void> {
    await Promise.all(this.#needed().map((reflector) => reflector.synced));
  }

  /** Follows them until the signal is aborted, and says whenever something is different. */
  async run(onChange: () => void, signal: AbortSignal): Promise<void> {
    this.#onChange = onChange;
    await Promise.all(
      [...this.#needed(), this.#networks].map((reflector) => reflector.run(signal)),
    );
  }

  /** Everything as it is known now. */
  world(): World {
    return {
      services: [...this.#services.values()],
      nodes: [...this.#nodes.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)),
      slicesOf: (service) => this.#slicesOf.get(service) ?? [],
      model: this.model(),
      standings: (node) => this.#networks.get(`${this.#namespace}/${node}`)?.standings,
    };
  }

  /** What pools and advertisements say; read again only after one of them changed. */
  model(): Model {
    return (this.#model ??= this.#read());
  }

  service(key: string): Service | undefined {
    return this.#services.get(key);
  }

  node(name: string): Node | undefined {
    return this.#nodes.get(name);
  }

  #needed() {
    return [this.#services, this.#slices, this.#nodes, this.#pools, this.#advertisements] as const;
  }

  #reread(): void {
    this.#previous = this.#model ?? this.#previous;
    this.#model = undefined;
  }

  #read(): Model {
    const objects = {
      pools: [...this.#pools.values()],
      advertisements: [...this.#advertisements.values()],
      namespace: this.#namespace,
    };
    return readModel(objects, this.#previous);
  }

  #indexSlice({ kind, object, before }: Change<EndpointSlice>): void {
    const name = object.metadata.labels?.[serviceNameLabel];
    if (name === undefined) return;
    const service = `${object.metadata.namespace}/${name}`;
    const others = (this.#slicesOf.get(service) ?? []).filter((slice) => slice !== before);
    // Nearly every Service has one slice; a spread makes room for many.
    if (kind !== 'deleted')
      this.#slicesOf.set(service, others.length === 0 ? [object] : [...others, object]);
    else if (others.length > 0) this.#slicesOf.set(service, others);
    else this.#slicesOf.delete(service);
  }
}
