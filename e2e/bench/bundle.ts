import { readFileSync } from 'node:fs';
import { env } from 'node:process';
import { parseAllDocuments } from 'yaml';
import type { Program } from '../lab/host.ts';
import { fromRoot } from '../lab/programs.ts';

/**
 * The same program as a container of `deploy/` runs it: the bundle, which `make bundle` makes, in the environment of the
 * manifest. Sources take longer to start, and more memory.
 */
export function bundleOf({ name, file, args: [, ...flags] }: Program): Program {
  const { args: written, env: variables } = containerOf(name);
  const ofNode = written.slice(0, written.indexOf(`/app/${name}.mjs`));
  const args = [...ofNode, fromRoot(`dist/${name}.mjs`), ...flags];
  // What the manifest says outright; the names of Pods and nodes are flags here.
  const said = variables.flatMap(({ name: key, value }) =>
    value === undefined ? [] : [[key, value] as const],
  );
  return { name, file, args, env: { PATH: env['PATH'] ?? '', ...Object.fromEntries(said) } };
}

function containerOf(name: string): Container {
  const documents = parseAllDocuments(readFileSync(fromRoot(`deploy/${name}.yaml`), 'utf8'));
  const at = ['spec', 'template', 'spec', 'containers', 0];
  for (const document of documents) {
    const container: Container | undefined = at.reduce((node, key) => node?.[key], document.toJS());
    if (container !== undefined) return container;
  }
  throw new Error(`deploy/${name}.yaml starts no container`);
}

type Container = { readonly args: readonly string[]; readonly env: readonly EnvVar[] };
type EnvVar = { readonly name: string; readonly value?: string };
