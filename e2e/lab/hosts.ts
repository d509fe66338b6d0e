import { explain } from '../../daemon/log.ts';
import { run } from './command.ts';
import { Host } from './host.ts';
import { type LabRecord, openRecord, removeDeadLabs, removeLab } from './record.ts';
import { missing } from './requirements.ts';

/**
 * The machines of a lab, each a network namespace, on one switch (a bridge in a namespace of its own,
 * so that nothing shows on the real machine). 198.51.100.0/24 and 2001:db8::/32 are reserved for documentation
 * (RFC 5737, RFC 3849).
 */
export type Hosts = AsyncDisposable & {
  readonly lab: string;
  /** Files of this lab; removed with it. */
  readonly folder: string;
  readonly control: Host;
  readonly client: Host;
  readonly nodes: readonly Host[];
  readonly all: readonly Host[];
  readonly node: (name: string) => Host;
};

/** The `lab` name keeps labs apart that run at the same time; tests use their process id. */
export async function openHosts({
  nodes: count,
  lab = `t${process.pid}`,
}: {
  nodes: number;
  lab?: string;
}): Promise<Hosts> {
  const faults = await missing();
  if (faults.length > 0) throw new Error(`the lab cannot run here: ${faults.join('; ')}`);
  removeDeadLabs();
  const record = openRecord(lab);
  const removeOnExit = (): void => leave(record);
  process.once('exit', removeOnExit);
  const control = hostAt(record, 'control', 10);
  const client = hostAt(record, 'client', 50);
  const nodes = Array.from({ length: count }, (_, index) =>
    hostAt(record, `node-${index + 1}`, 11 + index),
  );
  const all = [control, ...nodes, client];
  const close = async (): Promise<void> => {
    await Promise.all(all.map((host) => host.killAll()));
    removeLab(record);
    process.off('exit', removeOnExit);
  };
  try {
    await wire(all);
  } catch (error) {
    await close();
    throw new Error('building the hosts of the lab', { cause: error });
  }
  const node = (name: string): Host => {
    const found = nodes.find((host) => host.name === name);
    if (found !== undefined) return found;
    const names = nodes.map((host) => host.name).join(', ');
    throw new Error(`there is no node '${name}'; there are ${names}`);
  };
  const { folder } = record;
  return { lab, folder, control, client, nodes, all, node, [Symbol.asyncDispose]: close };
}

/**
 * Removes the lab while the process exits. A signal to the whole group may have hit the removal itself, or a command
 * that was still building: then once more.
 */
function leave(record: LabRecord, attempts = 3): void {
  try {
    removeLab(record);
  } catch (error) {
    if (attempts > 1) return leave(record, attempts - 1);
    process.stderr.write(
      `Not all of the lab '${record.lab}' could be removed; the next lab, or \`make clean-lab\`, removes the rest:\n  ${explain(error)}\n`,
    );
  }
}

/** 198.51.100.11 and 2001:db8::11 have the MAC 02:00:00:00:00:11, so that tables and captures read themselves. */
function hostAt(record: LabRecord, name: string, last: number): Host {
  const [address, address6] = [`198.51.100.${last}`, `2001:db8::${last}`];
  return new Host(record, { name, address, address6, mac: `02:00:00:00:00:${last}` });
}

async function wire(hosts: readonly Host[]): Promise<void> {
  const [first] = hosts;
  if (first === undefined) return;
  const { switchNamespace } = first;
  const namespaces = [switchNamespace, ...hosts.map((host) => host.namespace)];
  await batch(
    [],
    namespaces.map((name) => `netns add ${name}`),
  );
  await Promise.all(hosts.map(({ namespace }) => settleIPv6(namespace, settings)));
  // The switch is no station: it and its ports say nothing of themselves.
  await settleIPv6(switchNamespace, { ...settings, disable_ipv6: 1 });
  // A plain switch: forwards at once (no spanning tree to wait for), floods multicast like one
  // without IGMP snooping.
  await batch(
    ['-n', switchNamespace],
    [
      'link add lan type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
      'link set lan up',
      ...hosts.flatMap(({ name, namespace, mac }) => [
        `link add ${name} type veth peer name eth0 address ${mac} netns ${namespace}`,
        `link set ${name} master lan up`,
      ]),
    ],
  );
  await Promise.all(
    hosts.map(({ namespace, address, address6 }) =>
      batch(
        ['-n', namespace],
        [
          'link set lo up',
          'link set eth0 up',
          `address add ${address}/24 dev eth0`,
          `address add ${address6}/64 dev eth0`,
        ],
      ),
    ),
  );
}

const batch = (options: readonly string[], lines: readonly string[]): Promise<string> =>
  run('ip', [...options, '-batch', '-'], { input: `${lines.join('\n')}\n` });

/**
 * A LAN without a router, on which every host knows that its own address is free: asking for either would only blur
 * captures. A link that is taken down keeps its addresses, as with an administrator's tools.
 */
const settings = {
  accept_ra: 0,
  router_solicitations: 0,
  accept_dad: 0,
  keep_addr_on_down: 1,
} as const;

async function settleIPv6(
  namespace: string,
  wanted: Readonly<Record<string, number>>,
): Promise<void> {
  const all = Object.entries(wanted).flatMap(([name, value]) =>
    ['all', 'default'].map((whose) => `net.ipv6.conf.${whose}.${name}=${value}`),
  );
  await run('ip', ['netns', 'exec', namespace, 'sysctl', '-qw', ...all]);
}
