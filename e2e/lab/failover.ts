import { randomInt } from 'node:crypto';
import { systemClock } from '../../daemon/clock.ts';
import { until } from '../../daemon/testing/until.ts';
import type { Cluster } from './cluster.ts';
import { lossesOf, openConnections } from './connections.ts';
import { answerersOf, someHolderOf } from './holders.ts';
import { openProbe, type Probe } from './probe.ts';
import { echoPort } from './service-proxy.ts';

/** Before the move, and again after it: a few tenths of a second each on a machine that is not busy. */
const enoughConnections = 15;

export type Move = {
  readonly from: string;
  readonly to: string;
  /** How long the client had no answer. */
  readonly blackoutMs: number;
};

export type PlannedMove = Move & {
  readonly connections: number;
  /** Were under way with the node before when the address moved. */
  readonly cut: number;
  readonly failed: readonly string[];
};

/** Probes of an address that answer by now. */
export async function openSteadyProbe(cluster: Cluster, address: string): Promise<Probe> {
  const probe = openProbe(cluster.hosts.client, address, echoPort);
  await probe.steady(200);
  return probe;
}

/**
 * Cuts the power of the node that holds the address, waits until another one answers, gives the power back, and
 * waits until that node is a member again. Throws where the address then is anywhere but with its new holder.
 */
export async function cutHolder(cluster: Cluster, address: string, probe: Probe): Promise<Move> {
  const holder = await someHolderOf(cluster, address);
  // Pulses go out every 100 ms: over many cuts, every moment between two of them has its turn.
  await systemClock.sleep(randomInt(100));
  const blackout = await probe.blackoutOf(() => holder.cutPower());
  const heir = await someHolderOf(cluster, address);
  await holder.restorePower();
  await cluster.memberAgain(holder);
  const answerers = await answerersOf(cluster, address);
  if (answerers.join() !== heir.name) {
    throw new Error(
      `${address} went from ${holder.name} to ${heir.name}; after the power came back it is answered by ${answerers.join(' and ') || 'nobody'}`,
    );
  }
  return { from: holder.name, to: heir.name, blackoutMs: blackout.ms };
}

/** SIGTERM for the speaker that holds the address, under new connections; afterwards it is started again. */
export async function stopHolder(
  cluster: Cluster,
  address: string,
  port: number,
): Promise<PlannedMove> {
  await using probe = await openSteadyProbe(cluster, address);
  const holder = await someHolderOf(cluster, address);
  const connections = await openConnections(cluster.hosts.client, address, port);
  const made = (count: number) =>
    until('connections are made', () => connections.finished.length >= count);
  await made(enoughConnections);
  const blackout = await probe.blackoutOf(async () => {
    await holder.running('speaker').stop();
  });
  const heir = await someHolderOf(cluster, address);
  await made(connections.finished.length + enoughConnections);
  const all = await connections.close();
  const lost = await connections.lost();
  const { cut, failed } = lossesOf(all);
  holder.start('speaker');
  await cluster.memberAgain(holder);
  return {
    from: holder.name,
    to: heir.name,
    blackoutMs: blackout.ms,
    connections: all.length,
    cut: cut.length,
    failed: [...failed, ...Array.from({ length: lost }, () => 'the first packet was lost')],
  };
}
