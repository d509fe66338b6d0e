import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inClusterAccess } from './access.ts';

test('a Pod finds its API server, an IPv6 one too', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'account-'));
  t.after(() => rmSync(dir, { recursive: true }));
  for (const file of ['token', 'ca.crt']) writeFileSync(join(dir, file), 'x');
  const env = { KUBERNETES_SERVICE_HOST: '2001:db8::1', KUBERNETES_SERVICE_PORT: '443' };
  assert.deepEqual(inClusterAccess(env, dir), {
    server: 'https://[2001:db8::1]:443',
    caFile: join(dir, 'ca.crt'),
    tokenFile: join(dir, 'token'),
  });
});

test('outside a Pod everything that is missing is named at once', () => {
  assert.throws(
    () => inClusterAccess({ KUBERNETES_SERVICE_PORT: '443' }, '/nowhere'),
    /variable KUBERNETES_SERVICE_HOST, the file \/nowhere\/token, the file \/nowhere\/ca.crt missing/,
  );
});
