import { isIPv6 } from 'node:net';
import type { Service } from '../../kube/object.ts';
import type { Host } from './host.ts';

/** Where every node of the lab serves HTTP and echoes UDP. */
export const backendPort = 8080;
/** RFC 862. Every address of the lab echoes here, whatever its Service says: the probes are sent to it. */
export const echoPort = 7;

/**
 * Stands in for kube-proxy: what arrives at a node for a load-balancer address and a port of its Service goes
 * to the backend of that same node. The real one would spread over all endpoints; which node a packet
 * reached, and how soon, is the same with both.
 */
export async function proxyServices(host: Host, services: readonly Service[]): Promise<void> {
  await host.run('nft', ['-f', '-'], { input: proxyRules(services, host) });
}

/** The nftables rules of a node; loading them replaces the ones before in one step. */
export function proxyRules(services: readonly Service[], node: NodeAddresses): string {
  const rules = new Set(services.flatMap((service) => rulesOf(service, node)));
  return [
    'table inet service-proxy',
    'delete table inet service-proxy',
    'table inet service-proxy {',
    '  chain prerouting {',
    '    type nat hook prerouting priority dstnat;',
    ...[...rules].map((rule) => `    ${rule}`),
    '  }',
    '}',
    '',
  ].join('\n');
}

type NodeAddresses = Pick<Host, 'address' | 'address6'>;

function rulesOf({ spec, status }: Service, { address, address6 }: NodeAddresses): string[] {
  const addresses = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
  const ports = (spec?.ports ?? []).map(({ protocol = 'TCP', port }) => ({ protocol, port }));
  const echo = { protocol: 'UDP', port: echoPort };
  return addresses.flatMap((given) => {
    const [family, backend] = isIPv6(given) ? ['ip6', `[${address6}]`] : ['ip', address];
    return [...ports, echo].map(
      ({ protocol, port }) =>
        `${family} daddr ${given} ${protocol.toLowerCase()} dport ${port} dnat ${family} to ${backend}:${backendPort}`,
    );
  });
}
