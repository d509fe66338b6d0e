import { run } from './command.ts';
import { Host } from './host.ts';
import type { Hosts } from './hosts.ts';

/** Somebody brings a machine and plugs it into the switch: one that no cluster knows of. It goes with the lab. */
export async function plugIn({ lab, folder, control }: Hosts): Promise<Host> {
  const name = 'stranger';
  const [address, address6] = ['198.51.100.66', '2001:db8::66'];
  const host = new Host({ lab, folder }, { name, address, address6, mac: '02:00:00:00:00:66' });
  const onSwitch = [
    `link add ${name} type veth peer name eth0 address ${host.mac} netns ${host.namespace}`,
    `link set ${name} master lan up`,
  ];
  const onHost = ['link set lo up', 'link set eth0 up', `address add ${address}/24 dev eth0`];
  const batch = (namespace: string, lines: readonly string[]): Promise<string> =>
    run('ip', ['-n', namespace, '-batch', '-'], { input: `${lines.join('\n')}\n` });
  await run('ip', ['netns', 'add', host.namespace]);
  // It sends what it is told to, and nothing of its own.
  const isMute = ['net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1'];
  await host.run('sysctl', ['-qw', ...isMute]);
  await batch(control.switchNamespace, onSwitch);
  await batch(host.namespace, onHost);
  return host;
}
