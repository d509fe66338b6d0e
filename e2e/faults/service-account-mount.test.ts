import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ServiceAccountMount } from './service-account-mount.ts';

test('a renewed mount has the new files under the old names, and nothing of before', (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'mercurylb-mount-'));
  t.after(() => rmSync(parent, { recursive: true }));
  const mount = new ServiceAccountMount(join(parent, 'mount'), { token: 't1', ca: 'c1' });
  const read = () =>
    ['token', 'ca.crt'].map((name) => readFileSync(join(mount.path, name), 'utf8'));
  assert.deepEqual(read(), ['t1', 'c1']);
  mount.renew({ token: 't2' });
  assert.deepEqual(read(), ['t2', 'c1']);
  assert.deepEqual(readdirSync(mount.path).toSorted(), ['..2', '..data', 'ca.crt', 'token']);
});
