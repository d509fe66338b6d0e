import { systemClock } from '../../../daemon/clock.ts';
import type { Cluster } from '../../lab/cluster.ts';
import {
  cutHolder,
  openSteadyProbe,
  type PlannedMove,
  stopHolder,
  stopSpeaker,
} from '../../lab/failover.ts';
import { someHolderOf } from '../../lab/holders.ts';
import { portDown, portUp } from '../../lab/links.ts';
import type { Requester } from './requester.ts';
import { isMeasured, type Unmeasured } from './unmeasured.ts';

/** Every figure is how long, in milliseconds. */
export type Blackouts = {
  /** The client's datagrams were not answered while nothing happened: what the machine itself does to the figures below. */
  readonly calm: readonly number[];
  /** The same around what has happened. */
  readonly powerCut: readonly number[];
  readonly carrierLoss: readonly number[];
  /** The client's questions were not answered; its datagrams are, by the kernel of a node whose speaker died. */
  readonly kill: readonly number[] | Unmeasured;
  readonly plannedMoves: readonly PlannedMove[];
  /** Every speaker, one after the other, so many times. */
  readonly restarts: readonly PlannedMove[];
};

const webPort = 80;
/** About as long as a planned move takes with what is before and after it. */
const calmMs = 500;

/** So many power cuts, and a third as many of everything else. */
export async function measureBlackouts(
  cluster: Cluster,
  requester: Requester | Unmeasured,
  { address, cuts }: { readonly address: string; readonly cuts: number },
): Promise<Blackouts> {
  const others = Math.ceil(cuts / 3);
  return {
    calm: await calm(cluster, address, others),
    powerCut: await powerCuts(cluster, address, cuts),
    carrierLoss: await carrierLosses(cluster, address, others),
    kill: isMeasured(requester)
      ? await kills(cluster, { requester, address, times: others })
      : requester,
    plannedMoves: await repeat(others, () => stopHolder(cluster, address, webPort)),
    restarts: await restarts(cluster, address, Math.ceil(others / 3)),
  };
}

async function calm(cluster: Cluster, address: string, times: number): Promise<number[]> {
  await using probe = await openSteadyProbe(cluster, address);
  return await repeat(
    times,
    async () => (await probe.blackoutOf(() => systemClock.sleep(calmMs))).ms,
  );
}

async function powerCuts(cluster: Cluster, address: string, times: number): Promise<number[]> {
  await using probe = await openSteadyProbe(cluster, address);
  return await repeat(times, async () => (await cutHolder(cluster, address, probe)).blackoutMs);
}

/** The cable of the link that announces: the node has no other one to say goodbye on. */
async function carrierLosses(cluster: Cluster, address: string, times: number): Promise<number[]> {
  await using probe = await openSteadyProbe(cluster, address);
  return await repeat(times, async () => {
    const holder = await someHolderOf(cluster, address);
    const { ms } = await probe.blackoutOf(() => portDown(holder));
    await portUp(holder);
    await cluster.memberAgain(holder);
    return ms;
  });
}

type Kills = { readonly requester: Requester; readonly address: string; readonly times: number };

async function kills(
  cluster: Cluster,
  { requester, address, times }: Kills,
): Promise<readonly number[]> {
  await using questions = requester.watch(address);
  await questions.steady(200);
  return await repeat(times, async () => {
    const holder = await someHolderOf(cluster, address);
    const { ms } = await questions.blackoutOf(() => holder.running('speaker').signal('SIGKILL'));
    holder.start('speaker');
    await cluster.memberAgain(holder);
    return ms;
  });
}

async function restarts(
  cluster: Cluster,
  address: string,
  rounds: number,
): Promise<readonly PlannedMove[]> {
  const each = await repeat(rounds, async () => {
    const moves: PlannedMove[] = [];
    for (const host of cluster.hosts.nodes)
      moves.push(await stopSpeaker(cluster, host, { address, port: webPort }));
    return moves;
  });
  return each.flat();
}

async function repeat<T>(times: number, measure: () => Promise<T>): Promise<T[]> {
  const found: T[] = [];
  while (found.length < times) found.push(await measure());
  return found;
}
