import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openFolder } from './folder.ts';

function parentOf(t: TestContext): string {
  const parent = mkdtempSync(join(tmpdir(), 'folders-'));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  return parent;
}

/** A process that was there and is gone. */
const deadPid = spawnSync('true').pid;

test('a folder is there until it is closed, and closing twice is one close', (t) => {
  const parent = parentOf(t);
  const folder = openFolder(parent);
  assert.ok(existsSync(folder.path));
  folder[Symbol.dispose]();
  folder[Symbol.dispose]();
  assert.deepEqual(readdirSync(parent), []);
});

test('what a killed process left is removed', (t) => {
  const parent = parentOf(t);
  using mine = openFolder(parent);
  const left = basename(mine.path).replace(`-${process.pid}-`, `-${deadPid}-`);
  mkdirSync(join(parent, left));
  using other = openFolder(parent);
  const names = readdirSync(parent);
  assert.deepEqual(names.toSorted(), [basename(mine.path), basename(other.path)].toSorted());
});

test('what may belong to somebody who lives is left alone', (t) => {
  const parent = parentOf(t);
  using mine = openFolder(parent);
  const space = basename(mine.path).split('-')[2];
  const kept = [
    `mercurylb-kubernetes-${space}-1-abcdef`, // A process that runs.
    `mercurylb-kubernetes-1-${deadPid}-abcdef`, // Process ids of another namespace.
    'mercurylb-kubernetes-abcdef', // Nothing says whose.
    'somebody-elses',
  ];
  for (const name of kept) mkdirSync(join(parent, name));
  using other = openFolder(parent);
  const expected = [...kept, basename(mine.path), basename(other.path)];
  assert.deepEqual(readdirSync(parent).toSorted(), expected.toSorted());
});
