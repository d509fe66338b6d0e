import assert from 'node:assert/strict';
import { mkdtempDisposableSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openLog } from '../daemon/log.ts';
import { FakeClock } from '../daemon/testing/fake-clock.ts';
import { watchKeys } from './key-watch.ts';

test('keys that change in the file are told, and one that cannot be read is not', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'mercurylb-keys-'));
  const path = join(folder.path, 'keys');
  const write = (...lines: string[]) => writeFileSync(path, lines.join('\n'));
  const [old, next] = ['0123456789abcdef', 'fedcba9876543210'];
  const clock = new FakeClock();
  const ended = new AbortController();
  const told: number[] = [];
  const lines: string[] = [];
  write(old);
  const log = openLog('warn', (line) => lines.push(line));
  const onKeys = (keys: readonly unknown[]) => void told.push(keys.length);
  const run = watchKeys({ path, onKeys, clock, log }, ended.signal);
  run.catch(() => {});
  await clock.advance(20_000);
  assert.deepEqual(told, []);

  write(next, old);
  await clock.advance(10_000);
  assert.deepEqual(told, [2]);

  rmSync(path);
  await clock.advance(30_000);
  write('short');
  await clock.advance(30_000);
  assert.deepEqual(told, [2]);
  assert.equal(lines.length, 2);

  write(next);
  await clock.advance(10_000);
  assert.deepEqual(told, [2, 1]);
  ended.abort();
});
