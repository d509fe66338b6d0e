import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kinds } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { endpoint, endpointSlice, node } from '../kube/testing/build.ts';
import { leanKinds } from './lean.ts';
import { NodeRoster } from './node-roster.ts';
import { ServingNodes } from './serving-nodes.ts';
import { readTerrain } from './terrain.ts';

const lean = <T extends KubeObject>(
  kind: typeof kinds.node | typeof kinds.endpointSlice,
  object: T,
): T => {
  const keep = leanKinds.get(kind);
  assert.ok(keep);
  return keep(object) as T;
};

test('of a node is kept what is read of it, and not its images', () => {
  const whole = node('a', {
    addresses: ['198.51.100.11'],
    labels: { edge: 'true' },
    conditions: [{ type: 'NetworkUnavailable', status: 'False' }],
  });
  const { spec, status } = whole;
  const fat = {
    ...whole,
    spec: { ...spec, podCIDRs: ['203.0.113.0/25'] },
    status: { ...status, images: [{ names: ['big'], sizeBytes: 7 }] },
  };
  const kept = lean(kinds.node, fat);
  assert.equal(JSON.stringify(kept).includes('images'), false);
  const [one, other] = [new NodeRoster(), new NodeRoster()];
  one.take('a', fat, 0);
  other.take('a', kept, 0);
  assert.deepEqual(other.nodes, one.nodes);
  assert.deepEqual(readTerrain(kinds.node, kept), readTerrain(kinds.node, fat));
});

test('of an EndpointSlice is kept on which nodes it serves, and no address', () => {
  const slice = endpointSlice('web', [
    endpoint('203.0.113.1', 'a'),
    endpoint('203.0.113.2', 'b', { ready: false }),
    endpoint('203.0.113.3'),
  ]);
  const kept = lean(kinds.endpointSlice, slice);
  assert.equal(JSON.stringify(kept).includes('203.0.113'), false);
  const serving = new ServingNodes();
  serving.take('default/web-1', kept);
  assert.deepEqual([...serving.of('default/web')], ['a']);
});

test('who serves is told where it changes, over all slices of a Service', () => {
  const serving = new ServingNodes();
  const slice = (...nodes: readonly string[]) =>
    endpointSlice(
      'web',
      nodes.map((name) => endpoint('203.0.113.1', name)),
    );
  assert.deepEqual(serving.take('default/web-1', slice('a')), ['default/web']);
  assert.deepEqual(serving.take('default/web-2', slice('a')), []);
  assert.deepEqual(serving.take('default/web-1', undefined), []);
  assert.deepEqual(serving.take('default/web-2', slice('b', 'c')), ['default/web']);
  assert.deepEqual([...serving.of('default/web')], ['b', 'c']);
  const moved = endpointSlice('shop', [endpoint('203.0.113.1', 'b')]);
  assert.deepEqual(serving.take('default/web-2', moved), ['default/web', 'default/shop']);
  assert.equal(serving.of('default/web').size, 0);
});
