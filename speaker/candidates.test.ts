import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Advertisement } from '../crds/advertisement.ts';
import { parseSelector, type Selector } from '../crds/selector.ts';
import { endpointSlice, node, service } from '../kube/testing/build.ts';
import { candidatesFor, type Scene } from './candidates.ts';

const labelled = (matchLabels: Record<string, string>): Selector => {
  const selector = parseSelector({ matchLabels });
  assert.ok(typeof selector !== 'string');
  return selector;
};

const advertisement = (what: Partial<Advertisement> = {}): Advertisement => ({
  name: 'lan',
  poolNames: [],
  poolSelectors: [],
  nodeSelectors: [],
  interfaces: [],
  serviceSelectors: [],
  preferredNodes: [],
  ...what,
});

const serving = (nodeName?: string, conditions = { ready: true }) => ({
  addresses: ['203.0.113.1'],
  conditions,
  ...(nodeName === undefined ? {} : { nodeName }),
});

const three = [node('a'), node('b'), node('c')];

const scene = (what: Partial<Scene> = {}): Scene => ({
  service: service('web'),
  slices: [endpointSlice('web', [serving('a')])],
  advertisements: [advertisement()],
  nodes: three,
  ignoreExcludeLabel: false,
  ...what,
});

/** The names of the candidates, or the reason why there are none. */
function namesOf(what: Partial<Scene>): readonly string[] | string {
  const candidacy = candidatesFor(scene(what));
  return candidacy.kind === 'silent'
    ? candidacy.reason
    : candidacy.candidates.map((candidate) => candidate.node);
}

test('every node is a candidate where nothing says otherwise', () => {
  assert.deepEqual(namesOf({}), ['a', 'b', 'c']);
});

// MetalLB: E29
test('without an advertisement nobody announces', () => {
  assert.equal(namesOf({ advertisements: [] }), 'NoAdvertisement');
  const other = advertisement({ serviceSelectors: [labelled({ app: 'other' })] });
  assert.equal(namesOf({ advertisements: [other] }), 'NoAdvertisement');
});

test('without an endpoint that can serve nobody announces', () => {
  assert.equal(namesOf({ slices: [] }), 'NoEndpoints');
  const gone = endpointSlice('web', [serving('a', { ready: false })]);
  assert.equal(namesOf({ slices: [gone] }), 'NoEndpoints');
});

// MetalLB: TestUsableNodes
test('an endpoint that terminates but still serves counts, and so does one of unknown state', () => {
  const leaving = { addresses: [], nodeName: 'a', conditions: { ready: false, serving: true } };
  assert.deepEqual(namesOf({ slices: [endpointSlice('web', [leaving])] }), ['a', 'b', 'c']);
  const unknown = { addresses: [], nodeName: 'a' };
  assert.deepEqual(namesOf({ slices: [endpointSlice('web', [unknown])] }), ['a', 'b', 'c']);
});

const local = service('web', { spec: { type: 'LoadBalancer', externalTrafficPolicy: 'Local' } });

// MetalLB: E3, E19
test('with the Local policy only nodes with a serving endpoint are candidates', () => {
  const slices = [endpointSlice('web', [serving('a'), serving('b', { ready: false }), serving()])];
  assert.deepEqual(namesOf({ service: local, slices }), ['a']);
});

test('a Local node whose endpoints terminate is a candidate only where no node has a ready one', () => {
  const terminating = { ready: false, serving: true };
  const slices = [endpointSlice('web', [serving('a', terminating), serving('b')])];
  assert.deepEqual(namesOf({ service: local, slices }), ['b']);
  const excluded = node('b', {
    labels: { 'node.kubernetes.io/exclude-from-external-load-balancers': '' },
  });
  assert.deepEqual(namesOf({ service: local, slices, nodes: [node('a'), excluded] }), ['a']);
  const ending = [endpointSlice('web', [serving('a', terminating), serving('b', terminating)])];
  assert.deepEqual(namesOf({ service: local, slices: ending }), ['a', 'b']);
});

// MetalLB: E6
test('an excluded node is no candidate unless told to ignore the label', () => {
  const labels = { 'node.kubernetes.io/exclude-from-external-load-balancers': '' };
  const nodes = [node('a', { labels }), node('b')];
  assert.deepEqual(namesOf({ nodes }), ['b']);
  assert.deepEqual(namesOf({ nodes, ignoreExcludeLabel: true }), ['a', 'b']);
});

// MetalLB: E5
test('a node without network or about to be deleted is no candidate; a cordoned one is', () => {
  const nodes = [
    node('a', { conditions: [{ type: 'NetworkUnavailable', status: 'True' }] }),
    node('b', { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    node('c', { unschedulable: true }),
  ];
  assert.deepEqual(namesOf({ nodes }), ['c']);
});

test('a node that was declared out of service is no candidate; one with another taint is', () => {
  const nodes = [
    node('a', { taints: [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }] }),
    node('b', { taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] }),
  ];
  assert.deepEqual(namesOf({ nodes }), ['b']);
});

// MetalLB: E18, E20, E28
test('advertisements add up: a node is a candidate when any of them selects it', () => {
  const nodes = [
    node('a', { labels: { rack: '1' } }),
    node('b', { labels: { rack: '2' } }),
    node('c'),
  ];
  const advertisements = ['1', '2'].map((rack) =>
    advertisement({ name: rack, nodeSelectors: [labelled({ rack })] }),
  );
  assert.deepEqual(namesOf({ nodes, advertisements }), ['a', 'b']);
  assert.equal(namesOf({ nodes: [node('c')], advertisements }), 'NoCandidates');
});

// MetalLB: E37
test('weights add up over the advertisements that select the node', () => {
  const nodes = [node('a', { labels: { fast: 'yes' } }), node('b')];
  const preferring = (weight: number, nodeSelectors: Selector[] = []) =>
    advertisement({
      nodeSelectors,
      preferredNodes: [{ weight, selector: labelled({ fast: 'yes' }) }],
    });
  const advertisements = [preferring(60), preferring(50), preferring(9, [labelled({ none: 'x' })])];
  const candidacy = candidatesFor(scene({ nodes, advertisements }));
  assert.ok(candidacy.kind === 'announce');
  assert.deepEqual(candidacy.candidates, [
    { node: 'a', score: 110 },
    { node: 'b', score: 0 },
  ]);
});
