import { run } from '../lab/command.ts';
import type { Host } from '../lab/host.ts';

/** What the Pods of a cluster have as addresses; 10.244.11.0/24 is on the host 198.51.100.11. */
export const podNetwork = '10.244.0.0/16';
export const podRangeOf = (host: Host): string => `10.244.${lastByte(host)}.0/24`;

const lastByte = ({ address }: Host): string => address.slice(address.lastIndexOf('.') + 1);

/** Any address that is on no network, as the next hop of Pods: link-local, answered for by nobody (RFC 3927). */
const nextHop = '169.254.1.1';

/** Lets every host route to the Pods on `nodes`. */
export async function routePods(hosts: readonly Host[], nodes: readonly Host[]): Promise<void> {
  for (const host of hosts) {
    await host.run('sysctl', ['-q', '-w', 'net.ipv4.ip_forward=1']);
    for (const node of nodes) {
      if (node === host) continue;
      await host.run('ip', ['route', 'replace', podRangeOf(node), 'via', node.address]);
    }
  }
}

/** A network namespace behind a host, as a CNI plugin makes it: one link, one address, routed by the host. */
export class PodNetwork implements AsyncDisposable {
  readonly namespace: string;
  readonly address: string;
  readonly #host: Host;
  readonly #link: string;

  private constructor(host: Host, number: number) {
    this.#host = host;
    this.namespace = `${host.namespace}-pod-${number}`;
    this.address = `10.244.${lastByte(host)}.${number}`;
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
    ];
    const inside = [
      'link set lo up',
      'link set eth0 up',
      `address add ${this.address}/32 dev eth0`,
      `route add ${nextHop} dev eth0 scope link`,
      `route add default via ${nextHop}`,
      `neigh replace ${nextHop} lladdr ${outer} nud permanent dev eth0`,
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
