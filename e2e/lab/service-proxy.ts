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
  await host.run('nft', ['-f', '-'], { input: proxyRules(services, host.address) });
}

/** The nftables rules of a node; loading them replaces the ones before in one step. */
export function proxyRules(services: readonly Service[], nodeAddress: string): string {
  const rules = new Set(services.flatMap((service) => rulesOf(service, nodeAddress)));
  return [
    'table ip service-proxy',
    'delete table ip service-proxy',
    'table ip service-proxy {',
    '  chain prerouting {',
    '    type nat hook prerouting priority dstnat;',
    ...[...rules].map((rule) => `    ${rule}`),
    '  }',
    '}',
    '',
  ].join('\n');
}

function rulesOf({ spec, status }: Service, nodeAddress: string): string[] {
  const addresses = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
  const ports = (spec?.ports ?? []).map(({ protocol = 'TCP', port }) => ({ protocol, port }));
  const echo = { protocol: 'UDP', port: echoPort };
  // The lab has IPv4 only.
  return addresses
    .filter((address) => address.includes('.'))
    .flatMap((address) =>
      [...ports, echo].map(
        ({ protocol, port }) =>
          `ip daddr ${address} ${protocol.toLowerCase()} dport ${port} dnat to ${nodeAddress}:${backendPort}`,
      ),
    );
}
