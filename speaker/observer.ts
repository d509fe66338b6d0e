import { readModel, type Model } from '../crds/model.ts';
import { ipAddressPoolKind, l2AdvertisementKind, nodeNetworkKind } from '../crds/names.ts';
import { parseNodeNetwork, type Standing } from '../crds/node-network.ts';
import type { Clock } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import { kinds, type Kind } from '../kube/kinds.ts';
import { outOfServiceTaint } from '../kube/node-state.ts';
import type { EndpointSlice, KubeObject, Node, Service } from '../kube/object.ts';
import { Reflector } from '../kube/reflector.ts';
import type { Change } from '../kube/store.ts';
import type { Transport } from '../kube/transport.ts';
import type { World } from './plan.ts';

type Surroundings = {
  readonly transport: Transport;
  readonly namespace: string;
  readonly onChange: () => void;
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
  readonly #slicesOf = new Map<string, Map<string, EndpointSlice>>();
  readonly #namespace: string;
  #model: Model | undefined;
  /** The last form of objects that have a fault now. */
  #previous: Model | undefined;

  constructor(surroundings: Surroundings) {
    const { namespace, onChange, ...rest } = surroundings;
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
          onChange();
        },
        onList: onChange,
      });
    this.#services = follow(kinds.service, { keep: keepService });
    this.#nodes = follow(kinds.node, { keep: keepNode });
    this.#slices = follow(kinds.endpointSlice, {
      keep: keepSlice,
      onChange: (change) => this.#indexSlice(change),
    });
    const configuration = {
      namespace,
      keep: <T>(object: T) => object,
      onChange: () => this.#reread(),
    };
    this.#pools = follow(ipAddressPoolKind, configuration);
    this.#advertisements = follow(l2AdvertisementKind, configuration);
    this.#networks = follow(nodeNetworkKind, { namespace, keep: keepNetwork });
  }

  /** Resolves when everything has been listed once, but for where nodes stand: a plan can do without. */
  async synced(): Promise<void> {
    await Promise.all(this.#needed().map((reflector) => reflector.synced));
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(
      [...this.#needed(), this.#networks].map((reflector) => reflector.run(signal)),
    );
  }

  /** Everything as it is known now. */
  world(): World {
    return {
      services: [...this.#services.values()],
      nodes: [...this.#nodes.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)),
      slicesOf: (service) => [...(this.#slicesOf.get(service)?.values() ?? [])],
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

  #indexSlice({ kind, key, object }: Change<EndpointSlice>): void {
    const name = object.metadata.labels?.['kubernetes.io/service-name'];
    if (name === undefined) return;
    const service = `${object.metadata.namespace}/${name}`;
    const slices = this.#slicesOf.get(service) ?? new Map<string, EndpointSlice>();
    if (kind === 'deleted') slices.delete(key);
    else slices.set(key, object);
    if (slices.size === 0) this.#slicesOf.delete(service);
    else this.#slicesOf.set(service, slices);
  }
}

/** Only what is read below: most of a cluster's Services are not ours, and their bulk is not needed. */
function keepService({ metadata, spec, status }: Service): Service {
  const { name, namespace, uid, resourceVersion, labels, annotations } = metadata;
  const { type, loadBalancerClass, externalTrafficPolicy } = spec ?? {};
  const { 'kubectl.kubernetes.io/last-applied-configuration': _bulk, ...rest } = annotations ?? {};
  return compact({
    metadata: compact({ name, namespace, uid, resourceVersion, labels, annotations: rest }),
    spec: compact({ type, loadBalancerClass, externalTrafficPolicy }),
    status: compact({ loadBalancer: status?.loadBalancer }),
  });
}

function keepNode({ metadata, spec, status }: Node): Node {
  const { name, uid, resourceVersion, labels, deletionTimestamp } = metadata;
  // Without their times: a condition that is confirmed is no change.
  const conditions = (status?.conditions ?? [])
    .filter((condition) => condition.type === 'NetworkUnavailable' || condition.type === 'Ready')
    .map((condition) => ({ type: condition.type, status: condition.status }));
  const taints = (spec?.taints ?? []).filter(({ key }) => key === outOfServiceTaint);
  return {
    metadata: compact({ name, uid, resourceVersion, labels, deletionTimestamp }),
    spec: { taints },
    status: { conditions, addresses: status?.addresses ?? [] },
  };
}

type KnownNetwork = KubeObject & {
  readonly status?: unknown;
  readonly standings?: readonly Standing[];
};

function keepNetwork({ metadata, status }: KnownNetwork): KnownNetwork {
  const { name, namespace, uid, resourceVersion } = metadata;
  const standings = status === undefined ? undefined : parseNodeNetwork(status);
  return compact({ metadata: compact({ name, namespace, uid, resourceVersion }), standings });
}

function keepSlice({ metadata, addressType, endpoints }: EndpointSlice): EndpointSlice {
  const { name, namespace, uid, resourceVersion, labels } = metadata;
  return {
    metadata: compact({ name, namespace, uid, resourceVersion, labels }),
    addressType,
    endpoints: (endpoints ?? []).map(({ nodeName, conditions }) =>
      compact({ addresses: [], nodeName, conditions }),
    ),
  };
}

type Compact<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Without the fields that are undefined. */
const compact = <T extends object>(object: T): Compact<T> =>
  // Exactly the undefined ones are left out.
  Object.fromEntries(
    Object.entries(object).filter(([, value]) => value !== undefined),
  ) as Compact<T>;
