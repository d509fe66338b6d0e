import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { keptManifests } from './kept.ts';
import { definitions, manifestOf } from './manifest.ts';

const header = '# Generated from the zod schemas in this folder by `make generate`; edit those.\n';

type Manifest = { readonly spec: { readonly names: { readonly plural: string } } };

export const manifests: readonly Manifest[] = [...definitions.map(manifestOf), ...keptManifests];

/** The file of a CustomResourceDefinition and what belongs in it. */
export function fileOf(manifest: Manifest): { readonly url: URL; readonly text: string } {
  return {
    url: new URL(`${manifest.spec.names.plural}.yaml`, import.meta.url),
    text: header + stringify(manifest, { lineWidth: 100, aliasDuplicateObjects: false }),
  };
}

if (import.meta.main) {
  for (const manifest of manifests) {
    const { url, text } = fileOf(manifest);
    writeFileSync(url, text);
  }
}
