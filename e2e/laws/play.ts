import fc from 'fast-check';
import { Cluster } from './cluster.ts';
import type { ControllerClass } from './operator.ts';
import { describeStep, schedule, type Step } from './schedule.ts';

type Outcome = {
  /** What was wrong, and the schedule with the step at which it was seen; undefined where nothing was. */
  readonly fault: string | undefined;
  readonly writes: number;
};

/** Lets a schedule happen, and judges every write and what has come of it all. */
export async function play(Controller: ControllerClass, steps: readonly Step[]): Promise<Outcome> {
  const cluster = await Cluster.open(Controller);
  const outcome = (at: number): Outcome => {
    const { faults, writes } = cluster;
    return { writes, fault: faults.length === 0 ? undefined : tell(faults, steps, at) };
  };
  try {
    for (const [index, step] of steps.entries()) {
      await cluster.take(step);
      if (cluster.faults.length > 0) return outcome(index);
    }
    await cluster.rest();
    if (cluster.faults.length === 0) await cluster.restart();
    return outcome(steps.length);
  } finally {
    await cluster.close();
  }
}

function tell(faults: readonly string[], steps: readonly Step[], at: number): string {
  const told = steps.map((step, index) => `${index === at ? '>' : ' '} ${describeStep(step)}`);
  return [...faults, ...told, ...(at === steps.length ? ['> at rest'] : [])].join('\n');
}

type Search = {
  /** How many schedules are played. */
  readonly runs: number;
  readonly seed: number;
  /** Whether to look for a shorter schedule that shows the same. */
  readonly shrink?: boolean;
};

/** Plays schedules until one shows a fault; answers with that, undefined where none does. */
export async function search(
  Controller: ControllerClass,
  { runs, seed, shrink = true }: Search,
): Promise<string | undefined> {
  let told: string | undefined;
  const holds = fc.asyncProperty(schedule, async (steps) => {
    const { fault } = await play(Controller, steps);
    told = fault ?? told;
    return fault === undefined;
  });
  const { failed, numRuns, errorInstance } = await fc.check(holds, {
    numRuns: runs,
    seed,
    endOnFailure: !shrink,
  });
  if (!failed) return undefined;
  const again = `make soak-allocate SEED=${seed} RUNS=${numRuns}`;
  return `${told ?? String(errorInstance)}\n(schedule ${numRuns} of seed ${seed}: ${again})`;
}
