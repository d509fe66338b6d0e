/**
 * `bundle.ts [FOLDER]`: what the image holds, in `dist` unless said otherwise. A bundle for each program and for the
 * speaker's second thread, and beside them the one package that is native.
 */
import { cp, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Not its documentation and C++ sources. */
const isRun = /\.(cjs|js|json|node)$/;
const [folder = join(root, 'dist')] = process.argv.slice(2);

await rm(folder, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: {
    operator: 'operator/main.ts',
    speaker: 'speaker/main.ts',
    'wire-thread': 'speaker/wire-thread.ts',
  },
  outdir: folder,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  // Packages in the older form call `require` for Node's own modules.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
  minifySyntax: true,
  minifyWhitespace: true,
  // A stack trace in a log must name what failed.
  keepNames: true,
  legalComments: 'none',
  logLevel: 'warning',
});
// The native package as it is: its binary is found from its own folder.
for (const name of ['koffi', `@koromix/koffi-${process.platform}-${process.arch}`]) {
  await cp(join(root, 'node_modules', name), join(folder, 'node_modules', name), {
    recursive: true,
    filter: async (path) => isRun.test(path) || (await stat(path)).isDirectory(),
  });
}
