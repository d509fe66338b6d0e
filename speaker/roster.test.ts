import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from '../net/address.ts';
import { prefixRange } from '../net/range.ts';
import type { EndpointSlice, Node } from '../kube/object.ts';
import { endpointSlice, node } from '../kube/testing/build.ts';
import { isFirst, rosterOf, speakersOf, speakersService } from './roster.ts';

const at = (name: string, ...addresses: readonly string[]): Node => ({
  ...node(name),
  status: {
    addresses: [
      ...addresses.map((address) => ({ type: 'InternalIP', address })),
      { type: 'Hostname', address: name },
    ],
  },
});

const world = (nodes: readonly Node[], slices: readonly EndpointSlice[]) => ({
  nodes,
  slicesOf: (key: string) => (key === `metallb-system/${speakersService}` ? slices : []),
});

test('a speaker is where the Service of the speakers has an endpoint', () => {
  const slice = endpointSlice(speakersService, [
    { addresses: [], nodeName: 'a', conditions: { ready: true } },
    { addresses: [], nodeName: 'b', conditions: { ready: false } },
    { addresses: [], nodeName: 'gone' },
  ]);
  const nodes = [at('a', '192.0.2.1'), at('b', '192.0.2.2'), at('c', '192.0.2.3')];
  assert.deepEqual(speakersOf(world(nodes, [slice]), 'metallb-system'), [
    { node: 'a', addresses: ['192.0.2.1'], state: 'Ready' },
    { node: 'b', addresses: ['192.0.2.2'], state: 'NotReady' },
  ]);
});

test('a node that is not ready any more is lost, whatever is left of its Pods', () => {
  const lost: Node = {
    ...node('a'),
    status: { addresses: [], conditions: [{ type: 'Ready', status: 'Unknown' }] },
  };
  const slice = endpointSlice(speakersService, [{ addresses: [], nodeName: 'a' }]);
  const [speaker] = speakersOf(world([lost], [slice]), 'metallb-system');
  assert.equal(speaker?.state, 'NodeLost');
});

test('the first whose speaker is ready does what any of them can', () => {
  const speakers = [
    { node: 'a', addresses: [], state: 'NodeLost' },
    { node: 'b', addresses: [], state: 'NotReady' },
    { node: 'c', addresses: [], state: 'Ready' },
    { node: 'd', addresses: [], state: 'Ready' },
  ] as const;
  const first = speakers.filter(({ node: name }) => isFirst(name, speakers));
  assert.deepEqual(first, [speakers[2]]);
  assert.equal(isFirst('a', []), false);
});

test('without the Service nobody is expected anywhere', () => {
  assert.deepEqual(speakersOf(world([at('a', '192.0.2.1')], []), 'metallb-system'), []);
});

test('on a link those are expected that have an address in one of its networks', () => {
  const speakers = [
    { node: 'self', addresses: ['192.0.2.1'], state: 'Ready' },
    { node: 'here', addresses: ['2001:db8::2', '192.0.2.2'], state: 'Ready' },
    { node: 'elsewhere', addresses: ['203.0.113.3'], state: 'Ready' },
  ] as const;
  const first = parseAddress('192.0.2.0');
  assert.ok(first !== undefined);
  assert.deepEqual(
    [...rosterOf(speakers, { networks: [prefixRange(first, 24)] }, 'self')],
    [['here', { udp: '192.0.2.2', state: 'Ready' }]],
  );
});
