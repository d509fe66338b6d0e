import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kinds } from './kinds.ts';
import { node, service } from './testing/build.ts';
import type { Call, Transport } from './transport.ts';
import { apply, create, mergePatch, remove } from './write.ts';

/** What would go over the wire. */
async function sent(write: (transport: Transport) => Promise<unknown>): Promise<Call> {
  const calls: Call[] = [];
  await write({
    call: async <T>(call: Call) => (calls.push(call), undefined as T),
    lines: () => assert.fail('nothing is watched'),
    close: () => {},
  });
  const [call] = calls;
  assert(call !== undefined);
  return call;
}

const web = service('web', { resourceVersion: '7' });

test('a new object goes to its collection', async () => {
  const call = await sent((transport) => create(transport, kinds.service, web));
  assert.deepEqual([call.method, call.path], ['POST', '/api/v1/namespaces/default/services']);
  assert.equal(call.body, web);
});

test('a merge patch says what it is, and may carry its precondition', async () => {
  const patch = { metadata: { resourceVersion: '7', annotations: { 'metallb.io/x': null } } };
  const target = { kind: kinds.service, namespace: 'default', name: 'web' };
  assert.deepEqual(await sent((transport) => mergePatch(transport, target, patch)), {
    method: 'PATCH',
    path: '/api/v1/namespaces/default/services/web',
    body: patch,
    contentType: 'application/merge-patch+json',
  });
});

test('server-side apply names its manager and takes over what is its own', async () => {
  const object = node('a');
  const target = { kind: kinds.node, name: 'a', subresource: 'status' } as const;
  const wish = { object, fieldManager: 'mercury' };
  assert.deepEqual(await sent((transport) => apply(transport, target, wish)), {
    method: 'PATCH',
    path: '/api/v1/nodes/a/status',
    query: { fieldManager: 'mercury', force: true },
    body: object,
    contentType: 'application/apply-patch+yaml',
  });
});

test('a deletion means this object as it was read, not its successor', async () => {
  const call = await sent((transport) => remove(transport, kinds.service, web));
  assert.equal(call.method, 'DELETE');
  assert.deepEqual(call.body, {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    preconditions: { uid: 'uid-web', resourceVersion: '7' },
  });
});
