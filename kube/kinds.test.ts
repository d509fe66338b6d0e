import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiVersionOf, kinds, pathOf } from './kinds.ts';
import { keyOf, placeOf } from './object.ts';

test('paths follow the API: group or core, namespace or not, name, subresource', () => {
  const place = { namespace: 'default', name: 'web', subresource: 'status' };
  assert.equal(pathOf(kinds.service), '/api/v1/services');
  assert.equal(pathOf(kinds.service, place), '/api/v1/namespaces/default/services/web/status');
  assert.equal(pathOf(kinds.node, { namespace: 'ignored', name: 'a' }), '/api/v1/nodes/a');
  assert.equal(
    pathOf(kinds.lease, { namespace: 'metallb-system' }),
    '/apis/coordination.k8s.io/v1/namespaces/metallb-system/leases',
  );
});

test('a name cannot leave its place in the path', () => {
  assert.equal(pathOf(kinds.node, { name: '../x?y' }), '/api/v1/nodes/..%2Fx%3Fy');
});

test('a path that cannot exist is refused', () => {
  assert.throws(() => pathOf(kinds.service, { name: 'web' }), /Service web needs a namespace/);
  assert.throws(() => pathOf(kinds.node, { subresource: 'status' }), /needs a name/);
});

test('keys and places are each other in reverse', () => {
  assert.equal(apiVersionOf(kinds.endpointSlice), 'discovery.k8s.io/v1');
  for (const metadata of [{ name: 'a' }, { name: 'web', namespace: 'default' }])
    assert.deepEqual(placeOf(keyOf({ metadata })), metadata);
});
