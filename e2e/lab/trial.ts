import { until } from '../../daemon/testing/until.ts';
import type { Cluster } from './cluster.ts';
import { lossesOf, openConnections } from './connections.ts';
import { openSteadyProbe } from './failover.ts';
import { openTap, type Spell } from './tap.ts';

/** What a client saw of an address while something happened. */
export type Trial = {
  /** Who said that it has the address, one after the other: one where nothing moved. */
  readonly spells: readonly Spell[];
  /** The longest time without an answer. */
  readonly blackoutMs: number;
  readonly connections: number;
  /** Were under way with one node when the address went to another. */
  readonly cut: number;
  /** What every other new connection says that came to nothing. */
  readonly failed: readonly string[];
};

/** Before it happens, and again afterwards. */
const enoughConnections = 10;

/** Lets something happen while a client probes the address, asks for it and opens new connections to it. */
export async function trialOf(
  cluster: Cluster,
  address: string,
  happen: () => Promise<unknown>,
): Promise<Trial> {
  await using probe = await openSteadyProbe(cluster, address);
  await using tap = await openTap(cluster, address);
  const connections = await openConnections(cluster.hosts.client, address, 80);
  const made = (count: number) =>
    until('connections are made', () => connections.finished.length >= count);
  await made(enoughConnections);
  await until('somebody answers', () => tap.spells().length > 0);
  const { ms } = await probe.blackoutOf(async () => void (await happen()));
  await made(connections.finished.length + enoughConnections);
  const all = await connections.close();
  const { cut, failed } = lossesOf(all);
  return {
    spells: tap.spells(),
    blackoutMs: ms,
    connections: all.length,
    cut: cut.length,
    failed,
  };
}
