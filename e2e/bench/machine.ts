import { cpus, release, totalmem } from 'node:os';
import { outcomeOf } from '../lab/command.ts';
import { findPrograms } from '../kubernetes/programs.ts';

/** What the figures were taken on, in a sentence. */
export async function describeMachine(): Promise<string> {
  const { kubectl } = await findPrograms('kubectl');
  const { stdout } = await outcomeOf(kubectl, ['version', '--client', '--output=json']);
  const { clientVersion } = JSON.parse(stdout) as { clientVersion: { gitVersion: string } };
  return `${describeHost()}, Kubernetes ${clientVersion.gitVersion}, etcd in memory without fsync`;
}

/** The machine alone, and what runs this process. */
export function describeHost(): string {
  const model = cpus()[0]?.model.trim() || 'unknown processor';
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${model}, ${memory} GiB, Linux ${release()}, Node ${process.version}`;
}
