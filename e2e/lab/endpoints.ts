import type { EndpointSlice, Service } from '../../kube/object.ts';
import type { Host } from './host.ts';
import { countsAsReady } from './node-objects.ts';
import { backendPort } from './service-proxy.ts';

/** As the EndpointSlice controller writes it: one backend per node, ready while its node is. */
export function endpointSliceOf(
  { metadata, spec }: Service,
  nodes: readonly Host[],
): EndpointSlice {
  const { name, namespace = 'default' } = metadata;
  const ports = (spec?.ports ?? []).map((port) => ({
    name: port.name ?? '',
    protocol: port.protocol ?? 'TCP',
    port: backendPort,
  }));
  const endpoints = nodes.map((host) => {
    const ready = countsAsReady(host);
    const conditions = { ready, serving: ready, terminating: false };
    return { addresses: [host.address], nodeName: host.name, conditions };
  });
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-lab`, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports,
    endpoints,
  } as const;
  return slice;
}
