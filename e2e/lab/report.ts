import { readFile, writeFile } from 'node:fs/promises';
import { release } from 'node:os';
import { systemClock } from '../../daemon/clock.ts';
import { outcomeOf } from './command.ts';
import type { PlannedMove } from './failover.ts';
import type { Step } from './job.ts';
import type { Percentiles } from './percentiles.ts';
import { probeIntervalMs } from './probe.ts';
import { fromRoot } from './programs.ts';

/** What a run found, filled step by step. */
export type Findings = {
  /** Service to address. */
  addresses: Readonly<Record<string, string>>;
  powerCuts: { readonly samplesMs: readonly number[] } & Partial<Percentiles>;
  plannedMove?: PlannedMove;
};

export type Report = Findings & {
  readonly date: string;
  readonly held: boolean;
  readonly steps: readonly Step[];
  readonly probeIntervalMs: number;
  readonly versions: {
    readonly node: string;
    readonly kernel: string;
    /** With `+` where the work tree differs from it. */
    readonly commit: string;
    readonly packages: Readonly<Record<string, string>>;
  };
};

export const reportPath = fromRoot('e2e/lab/report.json');

export async function writeReport(steps: readonly Step[], findings: Findings): Promise<void> {
  const report: Report = {
    date: systemClock.wall().toISOString(),
    held: steps.every(({ outcome }) => outcome === 'held'),
    steps,
    ...findings,
    probeIntervalMs,
    versions: {
      node: process.version,
      kernel: release(),
      commit: await commit(),
      packages: await packages(),
    },
  };
  await writeFile(reportPath, `${JSON.stringify(report, undefined, 2)}\n`);
}

async function commit(): Promise<string> {
  // Someone else's clone, as under sudo, is no fault here.
  const git = ['-c', `safe.directory=*`, '-C', fromRoot('.')];
  const describe = [...git, 'describe', '--always', '--abbrev=12', '--dirty=+', '--exclude=*'];
  const { code, stdout } = await outcomeOf('git', describe).catch(() => ({ code: 1, stdout: '' }));
  return code === 0 ? stdout.trim() : 'unknown';
}

async function packages(): Promise<Record<string, string>> {
  const manifest: unknown = JSON.parse(await readFile(fromRoot('package.json'), 'utf8'));
  return (manifest as { dependencies: Record<string, string> }).dependencies;
}
