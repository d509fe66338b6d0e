import type { Cluster } from '../cluster.ts';
import { answerersOf, someHolderOf } from '../holders.ts';
import type { StepReport } from '../job.ts';

/** A speaker on every node: each address is answered for by one node, and was announced to the whole LAN. */
export async function announce(
  cluster: Cluster,
  addresses: readonly string[],
  report: StepReport,
): Promise<void> {
  const frames = await cluster.client.capture('arp', async () => {
    await cluster.startSpeakers();
    for (const address of addresses) await someHolderOf(cluster, address);
    await Promise.all(cluster.hosts.nodes.map(cluster.memberAgain));
  });
  const answerers = await Promise.all(addresses.map((address) => answerersOf(cluster, address)));
  for (const [index, address] of addresses.entries()) {
    const [holder = 'nobody', ...others] = answerers[index] ?? [];
    report.check(
      `${address} is answered for by ${holder} alone`,
      holder.startsWith('node-') && others.length === 0,
      [holder, ...others].join(' and '),
    );
    // RFC 5227 §3: an announcement asks for the address it comes from.
    const about = frames.filter((frame) => frame.includes(` ${address} `));
    const announced = about.some((frame) => frame.includes(`tell ${address},`));
    report.check(`${address} was announced by gratuitous ARP`, announced, about.join('; '));
  }
}
