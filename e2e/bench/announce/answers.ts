import { systemClock } from '../../../daemon/clock.ts';
import type { Cluster, LabResponder } from '../../lab/cluster.ts';
import { someHolderOf } from '../../lab/holders.ts';
import { type Percentiles, percentilesOf } from '../../lab/percentiles.ts';
import { openServing } from '../../lab/serving.ts';
import { assigned } from '../../lab/steps/addresses.ts';
import { costOf } from '../cost.ts';
import { type Paced, Requester, type Turn } from './requester.ts';
import { isMeasured, type Unmeasured } from './unmeasured.ts';

/** How fast questions are answered by the speaker, and, for an address of the same node's own, by its kernel. */
export type Answers = {
  readonly responder: LabResponder;
  readonly protocol: Protocol;
  readonly speaker: Latency;
  readonly kernel: Latency;
  readonly storm: Storm;
  /** Of one core, in percent: the speaker that is asked nothing, and under questions for an address that nobody has. */
  readonly quietCpu: number;
  readonly foreignCpu: number;
  readonly foreign: Paced;
};

export type Latency = {
  readonly asked: number;
  readonly lost: number;
  /** Microseconds from the question to the answer's arrival at the link of who asked; and until that one had read it. */
  readonly arrived: Percentiles;
  readonly read: Percentiles;
};

/** The same questions at the same pace to both. */
type Storm = { readonly speaker: Paced; readonly kernel: Paced };

/** By what is asked; for an address of the node's kernel; and for one that nobody has. */
const protocols = {
  ARP: { own: ['198.51.100.98/32'], foreign: '198.51.100.97' },
  NDP: { own: ['2001:db8::98/128', 'nodad'], foreign: '2001:db8::97' },
} as const;
type Protocol = keyof typeof protocols;

const turns = 5_000;
export const stormPerSecond = 50_000;
export const foreignPerSecond = 20_000;
const stormSeconds = 3;
const foreignSeconds = 10;

/** Both protocols, with the speakers' packet sockets or with their program in the kernel. */
export async function measureAnswers(
  responder: LabResponder,
): Promise<readonly Answers[] | Unmeasured> {
  const { address, ...serving } = await openServing('embedded', responder);
  await using cluster = serving.cluster;
  const { client, folder } = cluster.hosts;
  const requester = await Requester.compile(client, folder);
  if (!isMeasured(requester)) return requester;
  await cluster.applyFile('examples/ipv6.yaml');
  const addresses = { ARP: address, NDP: await assigned(cluster, 'ipv6') };
  const found: Answers[] = [];
  for (const protocol of ['ARP', 'NDP'] as const) {
    const asked = { protocol, address: addresses[protocol] };
    found.push({ responder, ...(await measure(cluster, requester, asked)) });
  }
  return found;
}

async function measure(
  cluster: Cluster,
  requester: Requester,
  { protocol, address }: { readonly protocol: Protocol; readonly address: string },
): Promise<Omit<Answers, 'responder'>> {
  const { own, foreign: foreignAddress } = protocols[protocol];
  const [kernelAddress = ''] = own[0].split('/');
  const holder = await someHolderOf(cluster, address);
  const { pid } = holder.running('speaker');
  await holder.run('ip', ['address', 'add', 'dev', 'eth0', ...own]);
  // Question by question, so that whatever else the machine does strikes both alike.
  const found = await requester.inTurns([address, kernelAddress], turns);
  const pace = { perSecond: stormPerSecond, seconds: stormSeconds };
  const storm = {
    speaker: await requester.atPace(address, pace),
    kernel: await requester.atPace(kernelAddress, pace),
  };
  await holder.run('ip', ['address', 'delete', 'dev', 'eth0', own[0]]);
  const { cpu: quietCpu } = await cpuOf(pid, () => systemClock.sleep(foreignSeconds * 1_000));
  const { cpu: foreignCpu, result: foreign } = await cpuOf(pid, () =>
    requester.atPace(foreignAddress, { perSecond: foreignPerSecond, seconds: foreignSeconds }),
  );
  if (foreign.answered > 0) throw new Error(`somebody answered for ${foreignAddress}`);
  return {
    protocol,
    speaker: latencyOf(found, address),
    kernel: latencyOf(found, kernelAddress),
    storm,
    quietCpu,
    foreignCpu,
    foreign,
  };
}

export function latencyOf(turns: readonly Turn[], address: string): Latency {
  const asked = turns.filter((turn) => turn.address === address);
  const arrived = asked.flatMap(({ arrivedUs }) => arrivedUs ?? []);
  const read = asked.flatMap(({ readUs }) => readUs ?? []);
  return {
    asked: asked.length,
    lost: asked.length - read.length,
    arrived: percentilesOf(arrived),
    read: percentilesOf(read),
  };
}

async function cpuOf<T>(
  pid: number,
  happen: () => Promise<T>,
): Promise<{ readonly cpu: number; readonly result: T }> {
  const before = { ms: systemClock.nowMs(), cpuSeconds: costOf(pid).cpuSeconds };
  const result = await happen();
  const seconds = (systemClock.nowMs() - before.ms) / 1_000;
  return { cpu: (100 * (costOf(pid).cpuSeconds - before.cpuSeconds)) / seconds, result };
}
