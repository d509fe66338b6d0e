import { Cluster } from './cluster.ts';
import type { ControllerClass } from './operator.ts';
import { describeStep, type Step } from './schedule.ts';

/** Lets a schedule happen and answers with what was wrong, and when; undefined where nothing was. */
export async function play(
  Controller: ControllerClass,
  steps: readonly Step[],
): Promise<string | undefined> {
  const cluster = await Cluster.open(Controller);
  try {
    for (const [index, step] of steps.entries()) {
      await cluster.take(step);
      if (cluster.faults.length > 0) return tell(cluster, steps, index);
    }
    await cluster.rest();
    if (cluster.faults.length > 0) return tell(cluster, steps, steps.length);
    await cluster.restart();
    return cluster.faults.length > 0 ? tell(cluster, steps, steps.length) : undefined;
  } finally {
    await cluster.close();
  }
}

function tell({ faults }: Cluster, steps: readonly Step[], at: number): string {
  const told = steps.map((step, index) => `${index === at ? '>' : ' '} ${describeStep(step)}`);
  return [...faults, ...told, at === steps.length ? '> at rest' : ''].join('\n');
}
