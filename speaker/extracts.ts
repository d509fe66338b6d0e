import { type AnnotationName, annotationKey, readAnnotation } from '../crds/names.ts';
import { parseNodeNetwork, type Standing } from '../crds/node-network.ts';
import { outOfServiceTaint } from '../kube/node-state.ts';
import type { Endpoint, EndpointSlice, KubeObject, Node, Service } from '../kube/object.ts';
import { Shared } from './shared.ts';

/** The annotations that a plan goes by. */
const annotationsRead: readonly AnnotationName[] = ['ip-allocated-from-pool', 'has-node-addresses'];
export const serviceNameLabel = 'kubernetes.io/service-name';

/**
 * What a speaker keeps of the objects of a cluster, so that it has room for ten thousand Services: what a plan is made
 * of, and by what objects are told apart. What is the same in many of them is kept once.
 */
export class Extracts {
  readonly #records = new Shared<Readonly<Record<string, string>>>();
  readonly #specs = new Shared<NonNullable<Service['spec']>>();
  readonly #endpoints = new Shared<readonly Endpoint[]>();

  /** Of a Service without addresses to announce, that it is there: it may get some. */
  readonly service = ({ metadata, spec, status }: Service): Service => {
    const { name, namespace, uid, resourceVersion, labels = {} } = metadata;
    const identity = compact({ name, namespace, uid, resourceVersion });
    const { type, loadBalancerClass, externalTrafficPolicy } = spec ?? {};
    if (type !== 'LoadBalancer') return { metadata: identity };
    const annotations = Object.fromEntries(
      annotationsRead.flatMap((one) => {
        const value = readAnnotation(metadata.annotations, one);
        return value === undefined ? [] : [[annotationKey(one), value]];
      }),
    );
    const ingress = status?.loadBalancer?.ingress?.map(({ ip }) => compact({ ip }));
    return {
      metadata: {
        ...identity,
        labels: this.#records.of(labels),
        annotations: this.#records.of(annotations),
      },
      spec: this.#specs.of(compact({ type, loadBalancerClass, externalTrafficPolicy })),
      status: { loadBalancer: compact({ ingress }) },
    };
  };

  /** Which nodes have endpoints, and whether these serve. */
  readonly slice = ({ metadata, addressType, endpoints }: EndpointSlice): EndpointSlice => {
    const { name, namespace, uid, resourceVersion, labels } = metadata;
    const service = labels?.[serviceNameLabel];
    const kept = (endpoints ?? []).map(({ nodeName, conditions }): Endpoint => {
      const { ready, serving } = conditions ?? {};
      return compact({ addresses: [], nodeName, conditions: compact({ ready, serving }) });
    });
    const distinct = new Map(kept.map((endpoint) => [JSON.stringify(endpoint), endpoint]));
    return {
      metadata: compact({
        name,
        namespace,
        uid,
        resourceVersion,
        labels: service === undefined ? undefined : { [serviceNameLabel]: service },
      }),
      addressType,
      endpoints: this.#endpoints.of([...distinct.values()]),
    };
  };
}

export function extractNode({ metadata, spec, status }: Node): Node {
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

/** Where a node stands, as its speaker has written it. */
export type KnownNetwork = KubeObject & {
  readonly status?: unknown;
  readonly standings?: readonly Standing[];
};

export function extractNetwork({ metadata, status }: KnownNetwork): KnownNetwork {
  const { name, namespace, uid, resourceVersion } = metadata;
  const standings = status === undefined ? undefined : parseNodeNetwork(status);
  return compact({ metadata: compact({ name, namespace, uid, resourceVersion }), standings });
}

type Compact<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Without the fields that are undefined. What has none stays as it is, and takes less room than a copy. */
const compact = <T extends object>(object: T): Compact<T> =>
  // Exactly the undefined ones are left out.
  (Object.values(object).includes(undefined)
    ? Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
    : object) as Compact<T>;
