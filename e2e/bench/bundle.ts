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
  const args = [fromRoot(`dist/${name}.mjs`), ...flags];
  return { name, file, args, env: { PATH: env['PATH'] ?? '', ...environmentOf(name) } };
}

/** What the manifest says outright; the names of Pods and nodes are flags here. */
function environmentOf(name: string): Record<string, string> {
  const documents = parseAllDocuments(readFileSync(fromRoot(`deploy/${name}.yaml`), 'utf8'));
  const at = ['spec', 'template', 'spec', 'containers', 0, 'env'];
  const written = documents.flatMap((document): EnvVar[] => {
    const list = document.toJS();
    return at.reduce((node, key) => node?.[key], list) ?? [];
  });
  return Object.fromEntries(
    written.flatMap(({ name: key, value }) => (value === undefined ? [] : [[key, value]])),
  );
}

type EnvVar = { readonly name: string; readonly value?: string };
