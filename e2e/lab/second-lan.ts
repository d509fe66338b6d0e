import type { Mac } from '../../net/mac.ts';
import { run } from './command.ts';
import type { Host } from './host.ts';

/** Gives hosts a second interface, `eth1`, on a switch of its own: 203.0.113.0/24 (RFC 5737), numbered as the first. */
export async function openSecondLan(hosts: readonly Host[]): Promise<void> {
  const [first] = hosts;
  if (first === undefined) return;
  const onSwitch = [
    'link add lan2 type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
    'link set lan2 up',
    ...hosts.flatMap((host) => [
      `link add ${host.name}.2 type veth peer name eth1 address ${secondMacOf(host)} netns ${host.namespace}`,
      `link set ${host.name}.2 master lan2 up`,
    ]),
  ];
  const batch = (namespace: string, lines: readonly string[]): Promise<string> =>
    run('ip', ['-n', namespace, '-batch', '-'], { input: `${lines.join('\n')}\n` });
  await batch(first.switchNamespace, onSwitch);
  for (const { namespace, address } of hosts) {
    const last = address.split('.').at(-1) ?? '';
    await batch(namespace, ['link set eth1 up', `address add 203.0.113.${last}/24 dev eth1`]);
  }
}

export const secondMacOf = ({ mac }: Host): Mac => mac.replace(/^02:00:00:00:00/, '02:00:00:00:02');

/** The cable of the second interface is pulled. */
export const secondPortDown = (host: Host): Promise<void> => setSecondPort(host, 'down');
export const secondPortUp = (host: Host): Promise<void> => setSecondPort(host, 'up');

async function setSecondPort({ name, switchNamespace }: Host, state: 'up' | 'down'): Promise<void> {
  await run('ip', ['-n', switchNamespace, 'link', 'set', `${name}.2`, state]);
}
