import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { env } from 'node:process';
import { outcomeOf } from '../lab/command.ts';
import { fromRoot } from '../lab/programs.ts';

/** The programs of a Kubernetes control plane, and what goes with it. */
export type ProgramName =
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kube-proxy'
  | 'kubectl';

const build = fromRoot('e2e/kubernetes/build');

/** Where the programs lie: in `KUBEBUILDER_ASSETS`, or where `build` put them. Throws saying what to do for them. */
async function folderOfPrograms(): Promise<string> {
  const { code, stdout, stderr } = await outcomeOf(build, ['--where']);
  if (code === 0) return stdout.trim();
  throw new Error(stderr.trim().replace(/^kubernetes: /, ''));
}

/** The path of each program. Throws naming those that are not there and what to do for them. */
export async function findPrograms<Name extends ProgramName>(
  ...names: readonly Name[]
): Promise<Readonly<Record<Name, string>>> {
  const folder = await folderOfPrograms();
  const missing = names.filter((name) => !isExecutable(join(folder, name)));
  if (missing.length > 0) {
    const remedy = 'unset KUBEBUILDER_ASSETS and run e2e/kubernetes/build';
    throw new Error(`${folder} has no ${missing.join(', ')}: ${remedy}`);
  }
  const paths = names.map((name) => [name, join(folder, name)] as const);
  return Object.fromEntries(paths) as Record<Name, string>; // One entry for each of `names`.
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * The options of a test that opens a control plane: skipped, saying why, where the programs are not there.
 * `E2E_REQUIRE=1` takes that excuse away, and opening it then fails with the same words.
 */
export async function needsPrograms(
  ...names: readonly ProgramName[]
): Promise<{ readonly skip: string | false }> {
  if (env['E2E_REQUIRE'] === '1') return { skip: false };
  try {
    await findPrograms(...names);
    return { skip: false };
  } catch (error) {
    return { skip: error instanceof Error ? error.message : String(error) };
  }
}
