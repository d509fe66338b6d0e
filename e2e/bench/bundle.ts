import type { Program } from '../lab/host.ts';
import { fromRoot } from '../lab/programs.ts';

/** The same program as the image holds it, which `make bundle` makes: sources take longer to start, and more memory. */
export function bundleOf({ name, file, args: [, ...flags] }: Program): Program {
  return { name, file, args: [fromRoot(`dist/${name}.mjs`), ...flags] };
}
