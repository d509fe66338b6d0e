import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { endpointSlice, node, service } from '../kube/testing/build.ts';
import { readModel } from '../crds/model.ts';
import { extractNode, Extracts } from './extracts.ts';
import { planFor, type World } from './plan.ts';

const web = (name: string, ip: string) =>
  service(name, {
    uid: `uid-${name}`,
    resourceVersion: '7',
    labels: { tier: 'front' },
    annotations: {
      'metallb.universe.tf/ip-allocated-from-pool': 'gone',
      'kubectl.kubernetes.io/last-applied-configuration': '{}',
    },
    ingress: [{ ip, ipMode: 'VIP' }],
    spec: { externalTrafficPolicy: 'Local' },
  });

const endpoints = [
  { addresses: ['10.244.0.9'], nodeName: 'a', conditions: { ready: true, serving: true } },
  { addresses: ['10.244.0.10'], nodeName: 'a', conditions: { ready: true, serving: true } },
  { addresses: ['10.244.1.9'], nodeName: 'b', conditions: { ready: false, serving: false } },
];

describe('what a speaker keeps of the objects', () => {
  test('makes the same plan as the objects themselves', () => {
    const extracts = new Extracts();
    const whole: World = {
      services: [web('web', '198.51.100.1'), service('internal', { spec: { type: 'ClusterIP' } })],
      nodes: [node('a'), node('b')],
      slicesOf: () => [endpointSlice('web', endpoints)],
      standings: () => undefined,
      model: readModel({
        pools: [],
        advertisements: [
          {
            metadata: { name: 'front', namespace: 'metallb-system' },
            kind: 'L2Advertisement',
            spec: { serviceSelectors: [{ matchLabels: { tier: 'front' } }] },
          },
        ],
      }),
    };
    const kept: World = {
      ...whole,
      services: whole.services.map(extracts.service),
      nodes: whole.nodes.map(extractNode),
      slicesOf: (key) => whole.slicesOf(key).map(extracts.slice),
    };
    const settings = { node: 'a', loadBalancerClass: undefined, ignoreExcludeLabel: false };
    const { plan } = planFor(whole, settings);
    assert.deepEqual(plan.get('198.51.100.1')?.candidates, [{ node: 'a', score: 0 }]);
    assert.deepEqual(planFor(kept, settings).plan, plan);
  });

  test('tells objects apart as before, and keeps once what many have in common', () => {
    const extracts = new Extracts();
    const [one, other] = [web('one', '198.51.100.1'), web('other', '198.51.100.2')];
    const [a, b] = [extracts.service(one), extracts.service(other)];
    assert.equal(a.metadata.uid, 'uid-one');
    assert.equal(a.metadata.resourceVersion, '7');
    assert.equal(a.spec, b.spec);
    assert.equal(a.metadata.labels, b.metadata.labels);
    assert.deepEqual(a.metadata.annotations, { 'metallb.io/ip-allocated-from-pool': 'gone' });
    const slices = [endpointSlice('one', endpoints), endpointSlice('other', endpoints)];
    const [first, second] = slices.map(extracts.slice);
    assert.equal(first?.endpoints, second?.endpoints);
    assert.equal(first?.endpoints?.length, 2);
  });
});
