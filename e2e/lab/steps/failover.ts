import type { Cluster } from '../cluster.ts';
import { cutHolder, openSteadyProbe, type PlannedMove, stopHolder } from '../failover.ts';
import type { StepReport } from '../job.ts';
import { percentilesOf, type Percentiles } from '../percentiles.ts';

/** What design and README promise, in milliseconds at the client. */
const target = { p50: 300, p99: 400, plannedMove: 20 };
/** A move that takes longer than this has not worked, whatever the machine was busy with. */
const bound = { powerCut: 2_000, plannedMove: 200 };

const ms = (value: number): string => `${value.toFixed(1)} ms`;
const verdict = (reached: boolean): string => (reached ? 'reached' : 'MISSED');

export async function cutOnce(
  cluster: Cluster,
  address: string,
  report: StepReport,
): Promise<void> {
  await using probe = await openSteadyProbe(cluster, address);
  const { from, to, blackoutMs } = await cutHolder(cluster, address, probe);
  report.check(`${from} lost power: ${address} is answered by ${to} now`, from !== to);
  report.check(`no answer for ${ms(blackoutMs)}`, blackoutMs < bound.powerCut);
  report.check(
    `the power is back, ${from} is a member again, and ${address} stays with ${to}`,
    true,
  );
  report.measured(`no answer for ${ms(blackoutMs)}`);
}

export async function cutMany(
  cluster: Cluster,
  { address, cuts }: { address: string; cuts: number },
  report: StepReport,
): Promise<{ samplesMs: number[] } & Percentiles> {
  await using probe = await openSteadyProbe(cluster, address);
  const samplesMs: number[] = [];
  for (let cut = 1; cut <= cuts; cut++) {
    const { from, to, blackoutMs } = await cutHolder(cluster, address, probe);
    samplesMs.push(Math.round(blackoutMs * 10) / 10);
    report.say(`${String(cut).padStart(3)}  ${from} → ${to}  no answer for ${ms(blackoutMs)}`);
  }
  const figures = percentilesOf(samplesMs);
  const { min, p50, p99, max } = figures;
  report.check(`${cuts} times the address moved, and stayed when the power came back`, true);
  report.check(
    `never longer than ${bound.powerCut} ms without an answer`,
    max < bound.powerCut,
    ms(max),
  );
  report.say(
    `target p50 ≤ ${target.p50} ms: ${verdict(p50 <= target.p50)}; p99 ≤ ${target.p99} ms: ${verdict(p99 <= target.p99)}`,
  );
  report.measured(`min ${ms(min)}, p50 ${ms(p50)}, p99 ${ms(p99)}, max ${ms(max)}`);
  return { samplesMs, ...figures };
}

export async function moveInOrder(
  cluster: Cluster,
  address: string,
  report: StepReport,
): Promise<PlannedMove> {
  const move = await stopHolder(cluster, address, 80);
  const { from, to, blackoutMs, connections, cut, failed } = move;
  report.check(
    `the speaker of ${from} got SIGTERM: ${address} is answered by ${to} now`,
    from !== to,
  );
  report.check(
    `${connections} new connections meanwhile, none failed`,
    connections > 0 && failed.length === 0,
    failed.join(', '),
  );
  report.check(`no answer for ${ms(blackoutMs)}`, blackoutMs < bound.plannedMove);
  if (cut > 0) report.say(`${cut} connections were under way with ${from}, and cut`);
  report.say(`target ≤ ${target.plannedMove} ms: ${verdict(blackoutMs <= target.plannedMove)}`);
  report.measured(
    `no answer for ${ms(blackoutMs)}, ${failed.length} of ${connections} new connections failed`,
  );
  return move;
}
