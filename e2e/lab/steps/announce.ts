import { isIPv6 } from 'node:net';
import type { Cluster } from '../cluster.ts';
import { answerersOf, someHolderOf } from '../holders.ts';
import type { StepReport } from '../job.ts';

/** A speaker on every node: each address is answered for by one node, and was announced to the whole LAN. */
export async function announce(
  cluster: Cluster,
  addresses: readonly string[],
  report: StepReport,
): Promise<void> {
  const frames = await cluster.client.capture('arp or icmp6', async () => {
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
    const about = frames.filter((frame) => frame.includes(` ${address}`));
    // RFC 5227 §3: an announcement asks for the address it comes from. RFC 4861 §7.2.6: to all nodes.
    const [how, said] = isIPv6(address)
      ? [
          'an unsolicited advertisement',
          `> ff02::1: ICMP6, neighbor advertisement, tgt is ${address},`,
        ]
      : ['gratuitous ARP', `tell ${address},`];
    const announced = about.some((frame) => frame.includes(said));
    report.check(`${address} was announced by ${how}`, announced, about.join('; '));
  }
}
