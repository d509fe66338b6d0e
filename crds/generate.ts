import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import type { Definition } from './definition.ts';
import { definitions, manifestOf } from './manifest.ts';

const header = '# Generated from the zod schemas in this folder by `make generate`; edit those.\n';

/** The file of a kind and what belongs in it. */
export function fileOf(definition: Definition): { readonly url: URL; readonly text: string } {
  return {
    url: new URL(`${definition.kind.plural}.yaml`, import.meta.url),
    text:
      header + stringify(manifestOf(definition), { lineWidth: 100, aliasDuplicateObjects: false }),
  };
}

if (import.meta.main) {
  for (const definition of definitions) {
    const { url, text } = fileOf(definition);
    writeFileSync(url, text);
  }
}
