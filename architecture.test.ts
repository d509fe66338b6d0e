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

/**
 * Files that only compute: no clock, no log, no system. In the rooms that decide, a file is one of them unless it is named
 * here; in the rooms that act, the other way round.
 */
const pure = [
  'net/*.ts',
  'crds/!(generate).ts',
  'kube/{event-fold,kinds,lease-claim,node-state,object,serving,store}.ts',
  'operator/!(access|allocator-metrics|controller|frame|judge|main|node-follower|operate|pulse-key|reconcile|settings|stale-statuses).ts',
  'speaker/{announcer,announcing-links,answer-times,burst,candidates,cluster-stations,contested,detours,duties,exam,extracts}.ts',
  'speaker/{foreign-stations,guard,holdings,l2-record,link-plan,networks,plan,plan-change,probing,pulse-ring}.ts',
  'speaker/{reach,remedies,roster,same-list,schedule,shared,sibling,telling,unannounced,witness}.ts',
  'speaker/core/*.ts',
  'speaker/wire/*.ts',
];

/** What pure files may import besides each other: hashes, deep equality, and the two that parse. */
const computing: readonly string[] = ['node:crypto', 'node:util', 'zod', 'ip-num'];

/** Time, chance and the system, where they need no import of their own. */
const ambient =
  /\b(?:Date\.now|new Date\(\)|Math\.random|random(?:Bytes|Int|UUID)|process\.|performance\.|setTimeout|setInterval|console\.)/;

/** What one file alone may import, because its edges are sharp. */
const kept: Readonly<Record<string, string>> = {
  'arp-a': 'e2e/lab/programs/neighbours.ts',
  koffi: 'speaker/io/libc.ts',
  'prom-client': 'daemon/metrics.ts',
  'ip-num': 'crds/notation.ts',
};

const isTest = (file: string): boolean => file.endsWith('.test.ts') || file.includes('/testing/');
const all = globSync('**/*.ts', { exclude: ['node_modules', '.tools'] }).toSorted();
const sources = all.filter((file) => !isTest(file));

type Import = {
  readonly target: string;
  readonly typesOnly: boolean;
  /** Not before it is asked for: where it comes back to who asks, that has begun. */
  readonly isLate: boolean;
};

/** What a file imports: paths of this project, or names of packages as written. */
function importsOf(file: string): readonly Import[] {
  const text = readFileSync(file, 'utf8');
  const statements = text.matchAll(
    /(?:^(?:import|export)\s+(type\s)?(?:[^'"]*?from\s*)?|\b(import)\()['"]([^'"]+)['"]/gm,
  );
  return Array.from(statements, ([, type, late, name = '']) => ({
    target: name.startsWith('.') ? normalize(join(dirname(file), name)) : name,
    typesOnly: type !== undefined,
    isLate: late !== undefined,
  }));
}

const withoutComments = (text: string): string => text.replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, '');

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

const pureFiles = new Set(
  pure.flatMap((pattern) => globSync(pattern)).filter((file) => !isTest(file)),
);

test('pure files import pure files only, for more than types', () => {
  assert.ok(pureFiles.size > 120, `only ${pureFiles.size} files match`);
  const strays = [...pureFiles].flatMap((file) =>
    importsOf(file)
      .filter(
        ({ target, typesOnly }) =>
          !typesOnly && !pureFiles.has(target) && !computing.includes(target),
      )
      .map(({ target }) => `${file} imports ${target}`),
  );
  assert.deepEqual(strays, []);
});

test('pure files take neither time nor chance nor anything of the system from around them', () => {
  const strays = [...pureFiles].flatMap((file) => {
    const [found] = ambient.exec(withoutComments(readFileSync(file, 'utf8'))) ?? [];
    return found === undefined ? [] : [`${file} uses ${found}`];
  });
  assert.deepEqual(strays, []);
});

test('nothing is loaded past the imports, but what not every machine has', () => {
  const loaders = sources.filter((file) => /\bcreateRequire\(/.test(readFileSync(file, 'utf8')));
  assert.deepEqual(loaders, ['speaker/io/libc.ts']);
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
    for (const { target, isLate } of importsOf(file)) {
      if (!isLate && existsSync(target)) visit(target, [...path, file]);
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
