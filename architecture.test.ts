import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

/** Which folders and packages the files of a folder may import. The first rule that fits a file counts. */
const rooms: readonly { readonly in: string; readonly may: readonly string[] }[] = [
  { in: 'net/', may: ['net/'] },
  { in: 'crds/generate.ts', may: ['crds/', 'node:', 'yaml'] },
  { in: 'crds/', may: ['crds/', 'net/', 'zod', 'ip-num'] },
  { in: 'daemon/', may: ['daemon/', 'node:', 'prom-client'] },
  { in: 'kube/', may: ['kube/', 'daemon/', 'node:'] },
  {
    in: 'operator/',
    may: [
      'operator/',
      'crds/',
      'net/',
      'kube/',
      'daemon/',
      'node:',
      '@kubernetes/client-node',
      '@dot-i/k8s-operator',
    ],
  },
  { in: 'speaker/core/', may: ['speaker/core/', 'net/', 'node:crypto'] },
  { in: 'speaker/wire/', may: ['speaker/wire/', 'speaker/core/', 'net/', 'node:crypto'] },
  { in: 'speaker/io/', may: ['speaker/io/', 'speaker/wire/', 'net/', 'node:', 'koffi'] },
  { in: 'speaker/', may: ['speaker/', 'crds/', 'net/', 'kube/', 'daemon/', 'node:', 'zod'] },
  { in: 'deploy/', may: ['deploy/', 'node:', 'esbuild'] },
  { in: 'e2e/apiserver/', may: ['e2e/', 'crds/', 'net/', 'daemon/', 'node:', 'yaml'] },
  {
    in: 'e2e/laws/',
    may: ['e2e/', 'operator/', 'crds/', 'net/', 'kube/', 'daemon/', 'node:', 'fast-check'],
  },
  {
    in: 'e2e/',
    may: [
      'e2e/',
      'operator/',
      'speaker/',
      'crds/',
      'net/',
      'kube/',
      'daemon/',
      'node:',
      'yaml',
      'arp-a',
    ],
  },
];

/** Files that only compute: no clock, no log, no system. `node:crypto` is there for its hashes. */
const pure = [
  'net/*.ts',
  'crds/{model,pool,advertisement,overlaps,selector,notation,conditions}.ts',
  'operator/{allocate,choose,ledger,node-addresses,node-ports,request,status,reasons}.ts',
  'speaker/{candidates,plan,burst}.ts',
  'speaker/core/*.ts',
  'speaker/wire/*.ts',
];

/** What one file alone may import, because its edges are sharp. */
const kept: Readonly<Record<string, string>> = {
  koffi: 'speaker/io/libc.ts',
  'prom-client': 'daemon/metrics.ts',
  'ip-num': 'crds/notation.ts',
};

const isTest = (file: string): boolean => file.endsWith('.test.ts') || file.includes('/testing/');
const all = globSync('**/*.ts', { exclude: ['node_modules', '.tools'] }).toSorted();
const sources = all.filter((file) => !isTest(file));

type Import = { readonly target: string; readonly typesOnly: boolean };

/** What a file imports: paths of this project, or names of packages as written. */
function importsOf(file: string): readonly Import[] {
  const text = readFileSync(file, 'utf8');
  const statements = text.matchAll(
    /^(?:import|export)\s+(type\s)?(?:[^'"]*?from\s*)?['"]([^'"]+)['"]/gm,
  );
  return Array.from(statements, ([, type, name = '']) => ({
    target: name.startsWith('.') ? normalize(join(dirname(file), name)) : name,
    typesOnly: type !== undefined,
  }));
}

const allows = (may: readonly string[], target: string): boolean =>
  may.some((one) =>
    one.endsWith('/') || one.endsWith(':') ? target.startsWith(one) : target === one,
  );

test('every source file lives in a room, and imports only what that room may', () => {
  const strays = sources.flatMap((file) => {
    const room = rooms.find((one) => file.startsWith(one.in));
    if (room === undefined) return [`${file} is in no room`];
    return importsOf(file)
      .filter(({ target }) => !allows(room.may, target))
      .map(({ target }) => `${file} imports ${target}`);
  });
  assert.deepEqual(strays, []);
});

test('pure files import pure files only, for more than types', () => {
  const files = new Set(
    pure.flatMap((pattern) => globSync(pattern)).filter((file) => !isTest(file)),
  );
  assert.ok(files.size > 40, `only ${files.size} files match`);
  const strays = [...files].flatMap((file) =>
    importsOf(file)
      .filter(
        ({ target, typesOnly }) =>
          !typesOnly && target.startsWith('node:') && target !== 'node:crypto',
      )
      .map(({ target }) => `${file} imports ${target}`),
  );
  assert.deepEqual(strays, []);
});

test('a package with sharp edges is imported by one file', () => {
  for (const [name, keeper] of Object.entries(kept)) {
    const importers = sources.filter((file) =>
      importsOf(file).some(({ target }) => target === name),
    );
    assert.deepEqual(importers, [keeper], name);
  }
});

test('the speaker never loads the Kubernetes client, not even through others', () => {
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const { target, typesOnly } of importsOf(file)) {
      if (typesOnly) continue;
      assert.notEqual(target, '@kubernetes/client-node', `${file} imports it`);
      if (existsSync(target)) visit(target);
    }
  };
  visit('speaker/main.ts');
  visit('speaker/wire-thread.ts');
  assert.ok(seen.size > 30);
});

test('what exists for tests is imported by tests only', () => {
  const strays = sources
    .filter((file) => !file.startsWith('e2e/'))
    .flatMap((file) =>
      importsOf(file)
        .filter(({ target }) => target.includes('/testing/') || target.endsWith('.test.ts'))
        .map(({ target }) => `${file} imports ${target}`),
    );
  assert.deepEqual(strays, []);
});

test('no file imports itself in a circle, not even for types', () => {
  const state = new Map<string, 'open' | 'done'>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === 'open') circles.push([...path, file].join(' → '));
    if (state.has(file)) return;
    state.set(file, 'open');
    for (const { target } of importsOf(file)) {
      if (existsSync(target)) visit(target, [...path, file]);
    }
    state.set(file, 'done');
  };
  for (const file of all) visit(file, []);
  assert.deepEqual(circles, []);
});

test('the map in the README names every room', () => {
  const readme = readFileSync('README.md', 'utf8');
  const folders = globSync('*/', { exclude: ['node_modules', '.tools', '.git'] }).filter((name) =>
    sources.some((file) => file.startsWith(`${name}/`)),
  );
  assert.deepEqual(
    folders.filter((name) => !readme.includes(`\`${name}/\``)),
    [],
  );
});
