import type { Cluster } from '../cluster.ts';
import { isServedFrom, someHolderOf } from '../holders.ts';
import type { StepReport } from '../job.ts';
import { urlOf } from '../url.ts';
import { until } from '../../../daemon/testing/until.ts';

/** The client is served, by the node its neighbour table names. */
export async function serve(
  cluster: Cluster,
  addresses: readonly string[],
  report: StepReport,
): Promise<void> {
  const { client } = cluster;
  await client.forgetNeighbours();
  report.say(
    cluster.serviceProxy === 'kube-proxy'
      ? 'kube-proxy on every node leads address and port to any backend'
      : 'nftables rules on every node stand in for kube-proxy: address and port lead to its own backend',
  );
  for (const address of addresses) {
    const url = urlOf(address);
    const body = (await until(`${url} is served`, () => client.curl(url))).trim();
    const holder = await someHolderOf(cluster, address);
    const mac = await client.macOf(address);
    report.check(`curl ${url}: ${body}`, isServedFrom(cluster, holder, body));
    report.check(
      `the client's neighbour table says ${address} is at ${mac}`,
      mac === holder.mac,
      holder.mac,
    );
  }
}
