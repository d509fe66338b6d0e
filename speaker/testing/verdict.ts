import type { Core } from './core.ts';
import type { Violation } from './rule.ts';
import { play } from './play.ts';
import { drawSchedule, type Schedule } from './schedule.ts';
import { shrink } from './shrink.ts';

export type Failure = { readonly seed: number; readonly violation: Violation };

/** The first of these seeds whose schedule breaks an invariant. */
export function firstFailure(
  seeds: { readonly from: number; readonly count: number },
  core?: Core,
): Failure | undefined {
  for (let seed = seeds.from; seed < seeds.from + seeds.count; seed++) {
    const [violation] = play(drawSchedule(seed), core === undefined ? {} : { core }).violations;
    if (violation !== undefined) return { seed, violation };
  }
  return undefined;
}

/** What a person needs to find the fault: the seed, the simplest schedule that fails alike, and what happens in it. */
export function explain({ seed, violation }: Failure, core?: Core): string {
  const options = core === undefined ? {} : { core };
  const breaks = (schedule: Schedule): Violation | undefined =>
    play(schedule, options).violations.find(({ rule }) => rule === violation.rule);
  const schedule = shrink(drawSchedule(seed), (simpler) => breaks(simpler) !== undefined);
  const trace: string[] = [];
  play(schedule, { ...options, onTrace: (line) => trace.push(line) });
  return [
    `seed ${seed} breaks ${violation.rule} at ${violation.atMs.toFixed(1)} ms: ${violation.what}`,
    `shrunk to: ${JSON.stringify(schedule, undefined, 1)}`,
    'trace:',
    trace.join(''),
  ].join('\n');
}
