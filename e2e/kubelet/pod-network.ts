import { run } from '../lab/command.ts';
import type { Host } from '../lab/host.ts';

/** What the Pods of a cluster have as addresses; 10.244.11.0/24 and fd00:10:244:11::/64 are on the host 198.51.100.11. */
export const podNetworks = ['10.244.0.0/16', 'fd00:10:244::/48'] as const;
export const podRangesOf = (host: Host): readonly [string, string] => [
  `10.244.${lastByte(host)}.0/24`,
  `fd00:10:244:${lastByte(host)}::/64`,
];

const lastByte = ({ address }: Host): string => address.slice(address.lastIndexOf('.') + 1);

/** Any address that is on no network, as the next hop of Pods: link-local, answered for by nobody (RFC 3927, RFC 4291). */
const nextHops = ['169.254.1.1', 'fe80::a9fe:101'] as const;

/** Lets every host route to the Pods on `nodes`. */
export async function routePods(hosts: readonly Host[], nodes: readonly Host[]): Promise<void> {
  for (const host of hosts) {
    const forwarding = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'];
    await host.run('sysctl', ['-q', '-w', ...forwarding]);
    for (const node of nodes) {
      if (node === host) continue;
      const [range, range6] = podRangesOf(node);
      await host.run('ip', ['route', 'replace', range, 'via', node.address]);
      await host.run('ip', ['route', 'replace', range6, 'via', node.address6]);
    }
  }
}

/** A network namespace behind a host, as a CNI plugin makes it: one link, an address of each family, routed by the host. */
export class PodNetwork implements AsyncDisposable {
  readonly namespace: string;
  readonly address: string;
  readonly address6: string;
  readonly #host: Host;
  readonly #link: string;

  private constructor(host: Host, number: number) {
    this.#host = host;
    this.namespace = `${host.namespace}-pod-${number}`;
    this.address = `10.244.${lastByte(host)}.${number}`;
    this.address6 = `fd00:10:244:${lastByte(host)}::${number.toString(16)}`;
    this.#link = `veth-pod-${number}`;
  }

  /** `number` from 1 to 254, of its own on this host. */
  static async open(host: Host, number: number): Promise<PodNetwork> {
    const network = new PodNetwork(host, number);
    await network.#open();
    return network;
  }

  async #open(): Promise<void> {
    const outer = `02:00:00:${lastByte(this.#host).padStart(2, '0')}:01:${hex(this.address)}`;
    const onHost = [
      `link add ${this.#link} address ${outer} type veth peer name eth0 netns ${this.namespace}`,
      `link set ${this.#link} up`,
      `route add ${this.address}/32 dev ${this.#link}`,
      `route add ${this.address6}/128 dev ${this.#link}`,
    ];
    const inside = [
      'link set lo up',
      'link set eth0 up',
      `address add ${this.address}/32 dev eth0`,
      `address add ${this.address6}/128 dev eth0 nodad`,
      `route add ${nextHops[0]} dev eth0 scope link`,
      ...nextHops.flatMap((nextHop) => [
        `neigh replace ${nextHop} lladdr ${outer} nud permanent dev eth0`,
        `route add default via ${nextHop} dev eth0`,
      ]),
    ];
    await run('ip', ['netns', 'add', this.namespace]);
    await batch(this.#host.namespace, onHost);
    await batch(this.namespace, inside);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run('ip', ['netns', 'delete', this.namespace]);
  }
}

const batch = (namespace: string, lines: readonly string[]): Promise<string> =>
  run('ip', ['-n', namespace, '-batch', '-'], { input: `${lines.join('\n')}\n` });

const hex = (address: string): string =>
  Number(address.slice(address.lastIndexOf('.') + 1))
    .toString(16)
    .padStart(2, '0');
