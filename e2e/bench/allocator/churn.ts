import { percentile } from '../../lab/percentiles.ts';
import { Desk } from './desk.ts';
import { poolOf, requestsOf } from './demand.ts';
import type { Subject } from './filling.ts';
import { collectGarbage } from './heap.ts';
import { startWatch } from './watch.ts';

/** What a step costs: one Service releases its address and another one gets one. */
export type Churn = {
  /** What this thread computed for a step, the mean of each tenth of the steps in their order. */
  readonly tenthsCpuNs: readonly number[];
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly maxNs: number;
};

// A hundred Services come and go every second: their addresses rest, and there are rested ones.
const stepMs = 10;
// They get an address in their turn after those who have one.
const spare = 1_000;

/**
 * Any one of those who hold an address gives it back, and the next one who has none gets one, so many times, a multiple
 * of ten.
 */
export function measureChurn({ network, family, held }: Subject, steps: number): Churn {
  const desk = new Desk(poolOf(network));
  const holders = requestsOf(held + spare, family);
  const waiting = holders.splice(held);
  for (const request of holders) desk.serve(request);
  const pick = randomBelow(held);
  const samplesNs = new Float64Array(steps);
  const tenthsCpuNs: number[] = [];
  const tenth = Math.floor(steps / 10);
  collectGarbage();
  let watch = startWatch();
  for (let step = 0; step < steps; step++) {
    const [at, turn] = [pick(), step % spare];
    const [leaver, comer] = [holders[at], waiting[turn]];
    if (leaver === undefined || comer === undefined) throw new Error('nobody is there');
    desk.nowMs += stepMs;
    const startMs = performance.now();
    desk.dismiss(leaver);
    const decided = desk.serve(comer);
    samplesNs[step] = (performance.now() - startMs) * 1e6;
    if (decided !== 'assign') throw new Error(`step ${step}: ${decided} instead of assign`);
    holders[at] = comer;
    waiting[turn] = leaver;
    if ((step + 1) % tenth !== 0) continue;
    tenthsCpuNs.push((watch().cpuMs * 1e6) / tenth);
    watch = startWatch();
  }
  return { tenthsCpuNs, ...spreadOf([...samplesNs]) };
}

const spreadOf = (samples: readonly number[]): Omit<Churn, 'tenthsCpuNs'> => ({
  p50Ns: percentile(samples, 50),
  p99Ns: percentile(samples, 99),
  maxNs: percentile(samples, 100),
});

/** The same numbers in every run (Park and Miller's generator). */
function randomBelow(limit: number): () => number {
  let state = 1;
  return () => {
    state = (state * 48_271) % 0x7fffffff;
    return state % limit;
  };
}
