import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openAccess } from './access.ts';

type Parts = { readonly cluster?: object; readonly user?: object; readonly current?: string };

function kubeconfig(t: TestContext, { cluster = {}, user = {}, current = 'lab' }: Parts): string {
  const folder = mkdtempSync(join(tmpdir(), 'access-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'config');
  const text = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': current,
    clusters: [
      { name: 'lab', cluster: { server: 'https://203.0.113.9:6443/', ...cluster } },
      { name: 'plain', cluster: { server: 'http://203.0.113.9:8080' } },
    ],
    users: [{ name: 'me', user }],
    contexts: [
      { name: 'lab', context: { cluster: 'lab', user: 'me' } },
      { name: 'plain', context: { cluster: 'plain', user: 'me' } },
    ],
  });
  writeFileSync(file, text);
  return file;
}

const open = (file: string | undefined, context?: string, env = {}) =>
  openAccess({ kubeconfig: file, context }, env);

test('a kubeconfig gives server, authority and token', async (t) => {
  const data = Buffer.from('CA').toString('base64');
  const file = kubeconfig(t, {
    cluster: { 'certificate-authority-data': data },
    user: { token: 'secret' },
  });
  const access = await open(file);
  assert.equal(access.server, 'https://203.0.113.9:6443');
  assert.equal(access.ca, 'CA');
  assert.deepEqual(await access.headers?.(), { Authorization: 'Bearer secret' });
});

test('plain HTTP and another context can be chosen', async (t) => {
  const access = await open(kubeconfig(t, {}), 'plain');
  assert.equal(access.server, 'http://203.0.113.9:8080');
  assert.deepEqual(await access.headers?.(), {});
});

test('a password and a client certificate are taken over', async (t) => {
  const pem = (text: string) => Buffer.from(text).toString('base64');
  const user = { username: 'me', password: 'pw', 'client-certificate-data': pem('C') };
  const access = await open(
    kubeconfig(t, { user: { ...user, 'client-key-data': pem('K') } }),
    'plain',
  );
  assert.deepEqual(await access.headers?.(), { Authorization: `Basic ${pem('me:pw')}` });
  assert.equal(access.cert, 'C');
  assert.equal(access.key, 'K');
});

test('KUBECONFIG is used where nothing is named, and a Pod its service account', async (t) => {
  const file = kubeconfig(t, {});
  const access = await open(undefined, undefined, { KUBECONFIG: file });
  assert.equal(access.server, 'https://203.0.113.9:6443');
  const inPod = { KUBECONFIG: file, KUBERNETES_SERVICE_HOST: '203.0.113.1' };
  await assert.rejects(open(undefined, undefined, inPod), /KUBERNETES_SERVICE_PORT.*missing/);
});

test('what is missing or not supported is named, with what to do', async (t) => {
  await assert.rejects(open(undefined, undefined, { HOME: '/nowhere' }), /give --kubeconfig/);
  const file = kubeconfig(t, { current: '' });
  await assert.rejects(open(file), /choose one of lab, plain with --context/);
  await assert.rejects(open(file, 'other'), /no context "other".*choose one of lab, plain/);
  const insecure = kubeconfig(t, { cluster: { 'insecure-skip-tls-verify': true } });
  await assert.rejects(open(insecure), /insecure-skip-tls-verify.*give its CA/);
  const broken = join(tmpdir(), 'there-is-no-such-file');
  await assert.rejects(open(broken), /reading the kubeconfig/);
});
