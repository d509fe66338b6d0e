import type {
  Endpoint,
  EndpointSlice,
  IpFamily,
  KubeObject,
  Lease,
  LeaseSpec,
  Metadata,
  Namespace,
  Node,
  Service,
  ServiceSpec,
} from '../object.ts';
import type { Condition, Ingress, Taint } from '../object.ts';

/** Anything of an object's metadata but its name, which every builder takes first. */
type Extra = Partial<Omit<Metadata, 'name'>>;

/** A Service of type LoadBalancer in namespace `default`, one TCP port, single-stack IPv4. */
export function service(
  name: string,
  what: Extra & {
    readonly spec?: ServiceSpec;
    readonly ingress?: readonly Ingress[];
    readonly conditions?: readonly Condition[];
  } = {},
): Service & { apiVersion: string; kind: string } {
  const { spec, ingress, conditions, ...metadata } = what;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: namespaced(name, metadata),
    spec: {
      type: 'LoadBalancer',
      clusterIPs: ['198.51.100.200'],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      ports: [{ protocol: 'TCP', port: 80 }],
      ...spec,
    },
    status: {
      loadBalancer: ingress === undefined ? {} : { ingress },
      ...(conditions === undefined ? {} : { conditions }),
    },
  };
}

/** A Node that is Ready and has its host name label, as the kubelet writes it. */
export function node(
  name: string,
  what: Extra & {
    readonly ready?: Condition['status'];
    readonly unschedulable?: boolean;
    readonly taints?: readonly Taint[];
    readonly addresses?: readonly string[];
    readonly conditions?: readonly Condition[];
  } = {},
): Node {
  const { ready = 'True', unschedulable, taints, ...more } = what;
  const { addresses = [], conditions = [], ...metadata } = more;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      uid: `uid-${name}`,
      ...metadata,
      labels: { 'kubernetes.io/hostname': name, ...metadata.labels },
    },
    spec: {
      ...(unschedulable === undefined ? {} : { unschedulable }),
      ...(taints === undefined ? {} : { taints }),
    },
    status: {
      addresses: addresses.map((address) => ({ type: 'InternalIP', address })),
      conditions: [{ type: 'Ready', status: ready }, ...conditions],
    },
  };
}

export function namespace(name: string, what: Extra = {}): Namespace {
  const labels = { 'kubernetes.io/metadata.name': name, ...what.labels };
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, uid: `uid-${name}`, ...what, labels },
  };
}

/** An endpoint that is ready, unless told otherwise. */
export function endpoint(
  address: string,
  nodeName?: string,
  conditions: Endpoint['conditions'] = { ready: true, serving: true, terminating: false },
): Endpoint {
  return { addresses: [address], conditions, ...(nodeName === undefined ? {} : { nodeName }) };
}

/** The EndpointSlice `<service>-1` of a Service of the same namespace. */
export function endpointSlice(
  ofService: string,
  endpoints: readonly Endpoint[],
  what: Extra & { readonly addressType?: IpFamily } = {},
): EndpointSlice {
  const { addressType = 'IPv4', ...metadata } = what;
  const labels = { 'kubernetes.io/service-name': ofService, ...metadata.labels };
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: namespaced(`${ofService}-1`, { ...metadata, labels }),
    addressType,
    endpoints,
  };
}

export function lease(name: string, what: Extra & { readonly spec?: LeaseSpec } = {}): Lease {
  const { spec = {}, ...metadata } = what;
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: namespaced(name, metadata),
    spec,
  };
}

/** An object of any kind: for custom resources and for tests that do not care. */
export function object(
  apiVersion: string,
  kind: string,
  name: string,
  what: Extra = {},
): KubeObject & { apiVersion: string; kind: string } {
  return { apiVersion, kind, metadata: { name, uid: `uid-${name}`, ...what } };
}

function namespaced(name: string, metadata: Extra): Metadata {
  return { name, namespace: 'default', uid: `uid-${name}`, ...metadata };
}
