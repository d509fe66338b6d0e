import type { Family } from '../../net/address.ts';
import type { Mac } from '../../net/mac.ts';
import { run } from './command.ts';
import type { Host } from './host.ts';
import type { Hosts } from './hosts.ts';

const mac: Mac = '02:00:00:00:00:01';
const address = '198.51.100.1';
/** As routers announce themselves: by their address on the link (RFC 4861 §4.2). */
const address6 = 'fe80::1';

/** The way out of the LAN for every node: a station of its own behind the port of the host that serves the API. */
export async function openGateway({ control, nodes }: Hosts): Promise<void> {
  const lines = [
    `link add gateway link eth0 address ${mac} type macvlan mode bridge`,
    'link set gateway up',
    `address add ${address}/24 dev gateway`,
    `address add ${address6}/64 dev gateway nodad`,
  ];
  // Else the host answers with either MAC.
  await control.run('sysctl', ['-qw', 'net.ipv4.conf.all.arp_ignore=1']);
  await control.run('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n` });
  for (const host of nodes) {
    await host.run('ip', ['route', 'replace', 'default', 'via', address]);
    await host.run('ip', ['-6', 'route', 'replace', 'default', 'via', address6, 'dev', 'eth0']);
  }
}

/** What the gateway says does not reach these hosts any more; everything else does. */
export async function hideGateway(
  hosts: readonly Host[],
  families: readonly Family[] = ['IPv4', 'IPv6'],
): Promise<void> {
  const ports = hosts.map(({ name }) => `"${name}"`).join(', ');
  const types = families.map((family) => ({ IPv4: 'arp, ip', IPv6: 'ip6' })[family]).join(', ');
  await rule(
    hosts,
    `${empty}
    add chain bridge gateway forward { type filter hook forward priority 0; }
    add rule bridge gateway forward oifname { ${ports} } ether saddr ${mac} ether type { ${types} } drop
  `,
  );
}

export const showGateway = (hosts: readonly Host[]): Promise<void> => rule(hosts, empty);

const empty = `
    table bridge gateway
    delete table bridge gateway
    add table bridge gateway
`;

async function rule([host]: readonly Host[], rules: string): Promise<void> {
  if (host === undefined) return;
  await run('ip', ['netns', 'exec', host.switchNamespace, 'nft', '-f', '-'], { input: rules });
}
