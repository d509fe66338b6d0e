import assert from 'node:assert/strict';
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readPulseKeys } from './pulse-keys.ts';

function keysFrom(text: string) {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'mercurylb-keys-'));
  const path = join(folder.path, 'keys');
  writeFileSync(path, text);
  return readPulseKeys(path);
}

test('every line is a key of 32 bytes, the first one first; blank lines do not count', () => {
  const one = keysFrom('a key of sixteen');
  const two = keysFrom('\n  another long key, \n\na key of sixteen\n');
  assert.deepEqual(
    two.map(({ length }) => length),
    [32, 32],
  );
  assert.deepEqual(two[1], one[0]);
});

test('a short key and an empty file are refused with a remedy', () => {
  assert.throws(
    () => keysFrom('a key of sixteen\nshort'),
    /line 2 has fewer than 16 characters.*openssl/,
  );
  assert.throws(() => keysFrom('\n\n'), /is empty\. Write one key a line/);
});
