import { until } from '../../daemon/testing/until.ts';
import { etherTypes } from '../../speaker/wire/ethernet.ts';
import { run } from './command.ts';
import type { Host } from './host.ts';

/** Games with the wire. Each is undone by its counterpart; nothing here touches a process. */

/** The host's own interface is taken down, as `ip link set eth0 down` by an administrator. */
export async function linkDown(host: Host): Promise<void> {
  routes.set(host, await routesOf(host));
  await host.run('ip', ['link', 'set', 'eth0', 'down']);
}

export async function linkUp(host: Host): Promise<void> {
  await host.run('ip', ['link', 'set', 'eth0', 'up']);
  await restoreRoutes(host, routes.get(host) ?? []);
}

/** The kernel forgets the routes of a link that goes down; who sets up a machine's network sets them again. */
const routes = new WeakMap<Host, readonly string[]>();

async function routesOf(host: Host, link = 'eth0'): Promise<readonly string[]> {
  const printed = await host.run('ip', ['route', 'show', 'dev', link, 'proto', 'boot']);
  return printed.split('\n').filter((line) => line.includes(' via '));
}

async function restoreRoutes(host: Host, lines: readonly string[], link = 'eth0'): Promise<void> {
  const input = lines.map((line) => `route replace ${line} dev ${link}\n`).join('');
  await host.run('ip', ['-batch', '-'], { input });
}

/** The cable is pulled: the switch's port goes down, and the host loses its carrier. */
export async function portDown(host: Host): Promise<void> {
  await run('ip', ['-n', host.switchNamespace, 'link', 'set', host.name, 'down']);
}

export async function portUp(host: Host): Promise<void> {
  await run('ip', ['-n', host.switchNamespace, 'link', 'set', host.name, 'up']);
}

/** The switch passes nothing between one side and the other, in neither direction; carriers stay. */
export async function partition(side: readonly Host[], other: readonly Host[]): Promise<void> {
  const [first] = [...side, ...other];
  if (first === undefined) return;
  const names = (hosts: readonly Host[]): string =>
    `{ ${hosts.map(({ name }) => `"${name}"`).join(', ')} }`;
  const rules = `${emptyPartition}
    add chain bridge partition forward { type filter hook forward priority 0; }
    add rule bridge partition forward iifname ${names(side)} oifname ${names(other)} drop
    add rule bridge partition forward iifname ${names(other)} oifname ${names(side)} drop
  `;
  await nftOnSwitch(first, rules);
}

/** Ends every partition of the lab this host belongs to. */
export async function heal(host: Host): Promise<void> {
  await nftOnSwitch(host, emptyPartition);
}

/** The switch drops what is neither ARP nor IP, as some virtual ones do, and `everything` between speakers if told so. */
export async function eatFrames(host: Host, what: 'frames' | 'everything'): Promise<void> {
  const datagrams = `add rule bridge eater forward ether type { ip, ip6 } udp dport ${datagramPort} drop`;
  const rules = `${eater}
    add rule bridge eater forward ether type ${etherTypes.speaker} drop
    ${what === 'everything' ? datagrams : ''}
  `;
  await nftOnSwitch(host, rules);
}

/** The switch drops what this host says of where addresses are: its answers to ARP and NDP, and nothing else. */
export const eatAnswers = (host: Host): Promise<void> =>
  nftOnSwitch(host, `${eater}${answersEaten(`ether saddr ${host.mac}`)}`);

/** The switch drops such answers where they are for these hosts. */
export async function eatAnswersTo(hosts: readonly Host[]): Promise<void> {
  const [first] = hosts;
  if (first === undefined) return;
  const rules = hosts.map(({ mac }) => answersEaten(`ether daddr ${mac}`));
  await nftOnSwitch(first, `${eater}${rules.join('')}`);
}

const answersEaten = (which: string): string => `
    add rule bridge eater forward ${which} arp operation reply drop
    add rule bridge eater forward ${which} icmpv6 type nd-neighbor-advert drop
`;

export async function passFrames(host: Host): Promise<void> {
  await nftOnSwitch(host, emptyEater);
}

const datagramPort = 7946;
const emptyEater = `
    table bridge eater
    delete table bridge eater
    add table bridge eater
`;

const eater = `${emptyEater}
    add chain bridge eater forward { type filter hook forward priority 0; }
`;

const emptyPartition = `
    table bridge partition
    delete table bridge partition
    add table bridge partition
`;

async function nftOnSwitch(host: Host, rules: string): Promise<void> {
  await run('ip', ['netns', 'exec', host.switchNamespace, 'nft', '-f', '-'], { input: rules });
}

/**
 * From now on the switch forwards a multicast group to those ports only where somebody has reported it (MLD), as managed
 * switches do. It asks who is there, too, and goes by the answers when it has waited for them.
 */
export async function snoop(host: Host): Promise<void> {
  const inSwitch = ['netns', 'exec', host.switchNamespace];
  // It asks from an address of its own, and when it has none, not again for two minutes.
  await run('ip', [...inSwitch, 'sysctl', '-qw', 'net.ipv6.conf.lan.disable_ipv6=0']);
  const own = ['-n', host.switchNamespace, 'address', 'show', 'dev', 'lan', 'scope', 'link'];
  await until('the switch has an address', async () => (await run('ip', own)).includes('fe80::'));
  const bridge = (...options: readonly string[]): Promise<string> =>
    run('ip', ['-n', host.switchNamespace, 'link', 'set', 'lan', 'type', 'bridge', ...options]);
  // In hundredths of a second; it floods until it has waited for answers, for as long as is set when it begins to ask.
  await bridge('mcast_query_response_interval', '100', 'mcast_startup_query_interval', '100');
  await bridge('mcast_mld_version', '2', 'mcast_snooping', '1', 'mcast_querier', '1');
}

/** The hosts to whose ports the switch forwards this group. */
export async function portsOf(host: Host, group: string): Promise<string[]> {
  const printed = await run('bridge', ['-n', host.switchNamespace, '-j', 'mdb', 'show']);
  const [{ mdb = [] } = {}] = JSON.parse(printed) as { mdb?: { port: string; grp: string }[] }[];
  return mdb.filter(({ grp }) => grp === group).map(({ port }) => port);
}

/** The device goes and another one comes with its name, MAC and address, as when a driver is loaded again. */
export async function replaceLink(replaced: Host): Promise<void> {
  const { name, mac, ...host } = replaced;
  const before = await routesOf(replaced);
  const onSwitch = [
    `link delete ${name}`,
    `link add ${name} type veth peer name eth0 address ${mac} netns ${host.namespace}`,
    `link set ${name} master lan up`,
  ];
  const afterwards = [
    'link set eth0 up',
    `address add ${host.address}/24 dev eth0`,
    `address add ${host.address6}/64 dev eth0`,
  ];
  await run('ip', ['-n', host.switchNamespace, '-batch', '-'], { input: onSwitch.join('\n') });
  await onHost(replaced, afterwards);
  await restoreRoutes(replaced, before);
}

/** The interface has another name from now on, as when udev gives it its lasting one; it goes down for a moment. */
export async function renameLink(host: Host, from: string, to: string): Promise<void> {
  const before = await routesOf(host, from);
  const lines = [`link set ${from} down`, `link set ${from} name ${to}`, `link set ${to} up`];
  await onHost(host, lines);
  await restoreRoutes(host, before, to);
}

/** The interface becomes the port of a bridge that takes over its MAC and its addresses, as hosts of virtual machines have it. */
export async function bridgeLink(host: Host): Promise<void> {
  const before = await routesOf(host);
  await onHost(host, [
    `link add br0 address ${host.mac} type bridge stp_state 0 forward_delay 0`,
    'link set br0 up',
    `address delete ${host.address}/24 dev eth0`,
    `address delete ${host.address6}/64 dev eth0`,
    'link set eth0 master br0',
    `address add ${host.address}/24 dev br0`,
    `address add ${host.address6}/64 dev br0`,
  ]);
  await restoreRoutes(host, before, 'br0');
}

export async function unbridgeLink(host: Host): Promise<void> {
  const before = await routesOf(host, 'br0');
  await onHost(host, [
    'link delete br0',
    `address add ${host.address}/24 dev eth0`,
    `address add ${host.address6}/64 dev eth0`,
  ]);
  await restoreRoutes(host, before);
}

const onHost = ({ namespace }: Host, lines: readonly string[]): Promise<string> =>
  run('ip', ['-n', namespace, '-batch', '-'], { input: lines.join('\n') });

/** Another MAC on the same link, which stays up; without one, the MAC it was built with. */
export async function changeMac(host: Host, mac = host.mac): Promise<void> {
  await host.run('ip', ['link', 'set', 'eth0', 'address', mac]);
}
