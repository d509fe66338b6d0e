/** What the writing programs of the bench ask of the API server, Service by Service. */

export type Request = {
  readonly method: 'POST' | 'PATCH';
  readonly path: string;
  readonly contentType: string;
  readonly body: string;
};

export const requestKinds = ['services', 'slices', 'assign', 'clear'] as const;
export type RequestKind = (typeof requestKinds)[number];

/** All of them in one namespace; each kind of request for the Service of this number. */
export const requestFor: Readonly<Record<RequestKind, (index: number) => Request>> = {
  /**
   * Without node ports, of which there are 2,768 in a cluster, and without selector, so that nobody else writes
   * about it.
   */
  services: (index) =>
    create(services, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: nameOf(index) },
      spec: {
        type: 'LoadBalancer',
        allocateLoadBalancerNodePorts: false,
        ports: [{ name: 'http', port: 80, targetPort: 8080 }],
      },
    }),
  /** One ready endpoint, without which no Service is announced. */
  slices: (index) =>
    create('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: nameOf(index),
        labels: { 'kubernetes.io/service-name': nameOf(index) },
      },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.244.0.9'], conditions: { ready: true } }],
      ports: [{ name: 'http', port: 8080 }],
    }),
  /** As much as the operator writes when it gives a Service its address. */
  assign: (index) => {
    const address = `198.19.${index >> 8}.${index & 255}`;
    return patch(index, {
      metadata: { annotations: { [poolAnnotation]: 'bench' } },
      status: {
        loadBalancer: { ingress: [{ ip: address }] },
        conditions: [
          {
            type: 'metallb.io/AddressAsRequested',
            status: 'True',
            reason: 'Assigned',
            message: `${address} from pool bench`,
            lastTransitionTime: '2026-01-01T00:00:00Z',
          },
        ],
      },
    });
  },
  /** Takes all of that off again. */
  clear: (index) =>
    patch(index, {
      metadata: { annotations: { [poolAnnotation]: null } },
      status: { loadBalancer: { ingress: null }, conditions: null },
    }),
};

const services = '/api/v1/namespaces/default/services';
const poolAnnotation = 'metallb.io/ip-allocated-from-pool';

const nameOf = (index: number): string => `bench-${String(index).padStart(5, '0')}`;

const create = (path: string, object: object): Request => ({
  method: 'POST',
  path,
  contentType: 'application/json',
  body: JSON.stringify(object),
});

const patch = (index: number, change: object): Request => ({
  method: 'PATCH',
  path: `${services}/${nameOf(index)}/status`,
  contentType: 'application/merge-patch+json',
  body: JSON.stringify(change),
});
