import { until } from '../../daemon/testing/until.ts';
import type { Cluster } from '../lab/cluster.ts';
import { openSteadyProbe } from '../lab/failover.ts';
import type { Host } from '../lab/host.ts';
import { openSecondLan, secondMacOf, secondPortDown, secondPortUp } from '../lab/second-lan.ts';
import { openIdle } from '../lab/serving.ts';
import { Tenant } from './tenant.ts';

const address = '203.0.113.200';

/** A cluster whose nodes have a second link, on which alone an address is announced. */
export class SecondLink implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly #tenant: Tenant;

  private constructor(cluster: Cluster) {
    this.cluster = cluster;
    this.#tenant = new Tenant(cluster, 'second', [address, '203.0.113.201']);
  }

  static async open(...how: Parameters<typeof openIdle>): Promise<SecondLink> {
    const second = new SecondLink(await openIdle(...how));
    const { client, nodes } = second.cluster.hosts;
    await openSecondLan([client, ...nodes]);
    await second.#tenant.pool();
    await second.#tenant.service();
    await second.#tenant.advertise();
    await second.#served();
    return second;
  }

  /**
   * Pulls the cable of the holder's second link so many times. Answers how long the client had no answer each time;
   * throws where the address goes back when the cable is in again.
   */
  async loseCarrier(times: number): Promise<readonly number[]> {
    await using probe = await openSteadyProbe(this.cluster, address);
    const blackoutsMs: number[] = [];
    while (blackoutsMs.length < times) {
      const from = await this.#holder();
      blackoutsMs.push((await probe.blackoutOf(() => secondPortDown(from))).ms);
      const heir = await this.#holder();
      await secondPortUp(from);
      await this.#memberAgain(from);
      const then = await this.#holder();
      if (heir === from || then !== heir)
        throw new Error(`${address} went from ${from.name} to ${heir.name}, then ${then.name}`);
    }
    return blackoutsMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tenant[Symbol.asyncDispose]();
    await this.cluster[Symbol.asyncDispose]();
  }

  /** Throws with the logs where nobody is ever served. */
  async #served(): Promise<void> {
    const { client, logs } = this.cluster;
    await this.#holder();
    const served = () => client.curl(`http://${address}/`);
    await until('the client is served on the second LAN', served).catch((error: unknown) => {
      throw new Error(`the logs end with:\n${logs(20)}`, { cause: error });
    });
  }

  #holder(): Promise<Host> {
    return until('one node answers on the second LAN', async () => {
      const macs = new Set(await this.cluster.client.answers(address, 'eth1'));
      const [one, ...others] = this.cluster.hosts.nodes.filter((host) =>
        macs.has(secondMacOf(host)),
      );
      return others.length === 0 && one;
    });
  }

  /** Resolves when the node has been pulsing on the second LAN for more than a second. */
  async #memberAgain(host: Host): Promise<void> {
    const filter = `ether proto 0x88b5 and ether src ${secondMacOf(host)}`;
    const args = ['-i', 'eth1', '-n', '--immediate-mode', '-c', '15', filter];
    await this.cluster.client.host.run('tcpdump', args, { timeoutMs: 15_000 });
  }
}
