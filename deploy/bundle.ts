/**
 * `bundle.ts [FOLDER]`: what the image holds, in `dist` unless said otherwise. A bundle for each program and for the
 * speaker's second thread, beside them the one package that is native, and the licenses of all that went in.
 */
import { cp, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { formatLicenses, packageOf } from './licenses.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Not its documentation and C++ sources. */
const isRun = /\.(cjs|js|json|node)$/;
const [folder = join(root, 'dist')] = process.argv.slice(2);

await rm(folder, { recursive: true, force: true });
const { metafile } = await build({
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
  // Node keeps the text of what it runs: a third of it is a third of the memory.
  minify: true,
  // A stack trace in a log must name what failed.
  keepNames: true,
  // They are in a file of their own.
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});
// The native package as it is: its binary is found from its own folder.
const native = ['koffi', `@koromix/koffi-${process.platform}-${process.arch}`];
for (const name of native) {
  await cp(join(root, 'node_modules', name), join(folder, 'node_modules', name), {
    recursive: true,
    filter: async (path) => isRun.test(path) || (await stat(path)).isDirectory(),
  });
}
const packages = new Set([
  ...Object.keys(metafile.inputs).flatMap((file) => packageOf(file) ?? []),
  ...native.map((name) => join('node_modules', name)),
]);
const licenses = formatLicenses([...packages].map((path) => join(root, path)));
await writeFile(join(folder, 'THIRD-PARTY-LICENSES.txt'), licenses);
