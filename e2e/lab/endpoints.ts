import type { EndpointSlice, Service } from '../../kube/object.ts';
import type { Family } from '../../net/address.ts';
import type { Host } from './host.ts';
import { countsAsReady } from './node-objects.ts';
import { backendPort } from './service-proxy.ts';

/** As the EndpointSlice controller writes them, one for each family: one backend per node, ready while its node is. */
export function endpointSlicesOf(service: Service, nodes: readonly Host[]): EndpointSlice[] {
  const { ipFamilies = ['IPv4'] } = service.spec ?? {};
  return ipFamilies.map((family) => sliceOf(service, family, nodes));
}

const addressOf = ({ address, address6 }: Host, family: Family): string =>
  family === 'IPv4' ? address : address6;

function sliceOf(
  { metadata, spec }: Service,
  family: Family,
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
    return { addresses: [addressOf(host, family)], nodeName: host.name, conditions };
  });
  const labels = { 'kubernetes.io/service-name': name };
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-lab-${family.toLowerCase()}`, namespace, labels },
    addressType: family,
    ports,
    endpoints,
  } as const;
  return slice;
}
