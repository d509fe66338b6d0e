import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';

const run = promisify(execFile);

type Workload = {
  spec?: { template?: { spec: { containers: readonly { args: readonly string[] }[] } } };
};

describe('the bundles', () => {
  /** Outside of the project, so that nothing is found that was not bundled. */
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mercurylb-bundle-'));
    await run(process.execPath, ['deploy/bundle.ts', folder]);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const [node = '', ...flags]: readonly string[] = JSON.parse(
    /^ENTRYPOINT (.*)$/m.exec(readFileSync('Dockerfile', 'utf8'))?.[1] ?? '[]',
  );
  const start = (...args: readonly string[]) =>
    run(process.execPath, [...flags, ...args], { cwd: folder, env: {} });

  test('are what the manifests start', async () => {
    const started = globSync('deploy/*.yaml').flatMap((file) =>
      parseAllDocuments(readFileSync(file, 'utf8')).flatMap((document) => {
        const { spec }: Workload = document.toJS();
        return spec?.template?.spec.containers.map(({ args }) => args) ?? [];
      }),
    );
    assert.equal(started.length, 2);
    for (const args of started) {
      const program = args.findIndex((arg) => arg.endsWith('.mjs'));
      const words = args.slice(0, program + 1).map((arg) => arg.replace('/app', folder));
      const { stdout, stderr } = await start(...words, '--help');
      assert.match(stdout, /--metrics-port/);
      assert.equal(stderr, '', args[program]);
    }
    assert.equal(node, '/nodejs/bin/node');
  });

  test('bring the native package along', async () => {
    const { stdout } = await start('-p', `typeof require('${folder}/node_modules/koffi').load`);
    assert.equal(stdout.trim(), 'function');
  });

  test('bring the license of everything that went in', () => {
    const text = readFileSync(join(folder, 'THIRD-PARTY-LICENSES.txt'), 'utf8');
    for (const name of ['@kubernetes/client-node', '@dot-i/k8s-operator', 'zod', 'koffi', 'ip-num'])
      assert.match(text, new RegExp(`^${name} [\\d.]+ \\((MIT|Apache-2.0)\\)$`, 'm'), name);
    assert.doesNotMatch(text, /\(undefined\)/);
  });

  test('hold nothing else', () => {
    const there = globSync('*', { cwd: folder }).toSorted();
    const bundles = ['operator.mjs', 'speaker.mjs', 'wire-thread.mjs'];
    assert.deepEqual(there, ['THIRD-PARTY-LICENSES.txt', 'node_modules', ...bundles]);
  });
});
