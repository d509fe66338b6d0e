import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readModel } from '../crds/model.ts';
import { parseNodeNetwork } from '../crds/node-network.ts';
import type { Service } from '../kube/object.ts';
import { endpointSlice, node, service } from '../kube/testing/build.ts';
import { type Plan, planFor, type World } from './plan.ts';

const pool = (name: string, ...addresses: string[]) => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'IPAddressPool',
  metadata: { name, namespace: 'metallb-system' },
  spec: { addresses },
});

const advertisement = (name: string, spec: object = {}) => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'L2Advertisement',
  metadata: { name, namespace: 'metallb-system' },
  spec,
});

const assigned = (name: string, ip: string, annotations: Record<string, string> = {}): Service =>
  service(name, { ingress: [{ ip }], annotations });

const world = (what: {
  services: readonly Service[];
  pools?: readonly object[];
  advertisements?: readonly object[];
  /** The addresses of a node's link `eth0`; of another node nothing is known. */
  standings?: Readonly<Record<string, readonly string[]>>;
  /** What a node has found other stations to have. */
  foreign?: Readonly<Record<string, readonly object[]>>;
}): World => ({
  services: what.services,
  nodes: [node('a'), node('b')],
  slicesOf: (key) => [
    endpointSlice(key.replace('default/', ''), [{ addresses: ['203.0.113.1'], nodeName: 'a' }]),
  ],
  standings: (name) => {
    const addresses = what.standings?.[name];
    const foreign = what.foreign?.[name];
    if (addresses === undefined && foreign === undefined) return undefined;
    return parseNodeNetwork({ links: [{ name: 'eth0', addresses: addresses ?? [], foreign }] });
  },
  model: readModel({
    pools: what.pools ?? [pool('lan', '198.51.100.0/24')],
    advertisements: what.advertisements ?? [advertisement('all')],
  }),
});

const settings = { node: 'a', loadBalancerClass: undefined, ignoreExcludeLabel: false };
const both = [
  { node: 'a', score: 0 },
  { node: 'b', score: 0 },
];

test('the address of a Service is planned for every candidate, on any link', () => {
  const { plan } = planFor(world({ services: [assigned('web', '198.51.100.1')] }), settings);
  assert.deepEqual(
    [...plan],
    [['198.51.100.1', { services: ['default/web'], candidates: both, links: undefined }]],
  );
});

test('Services of another type or class are not ours', () => {
  const other = service('other', {
    ingress: [{ ip: '198.51.100.1' }],
    spec: { type: 'LoadBalancer', loadBalancerClass: 'example.com/lb' },
  });
  const inner = service('inner', {
    ingress: [{ ip: '198.51.100.2' }],
    spec: { type: 'ClusterIP' },
  });
  assert.equal(planFor(world({ services: [other, inner] }), settings).plan.size, 0);
  const ours = { ...settings, loadBalancerClass: 'example.com/lb' };
  assert.deepEqual(
    [...planFor(world({ services: [other, inner] }), ours).plan.keys()],
    ['198.51.100.1'],
  );
});

test('junk in a status is no address', () => {
  const junk = service('web', { ingress: [{ ip: 'junk' }, { hostname: 'example.com' }, {}] });
  assert.equal(planFor(world({ services: [junk] }), settings).plan.size, 0);
});

test('an address whose pool was deleted goes on being announced as that pool was', () => {
  const services = [
    assigned('web', '198.51.100.1', { 'metallb.io/ip-allocated-from-pool': 'old' }),
  ];
  const advertisements = [advertisement('old-only', { ipAddressPools: ['old'] })];
  const { plan } = planFor(world({ services, pools: [], advertisements }), settings);
  assert.deepEqual([...plan.keys()], ['198.51.100.1']);
});

test('an address of a pool that overlaps an older one goes on being announced', () => {
  const services = [assigned('web', '198.51.100.9')];
  const pools = [pool('a-older', '198.51.100.8/30'), pool('b-younger', '198.51.100.0/24')];
  assert.equal(planFor(world({ services, pools }), settings).plan.size, 1);
});

// MetalLB: E25, E26
test('the links are the union of what the advertisements of this node name', () => {
  const links = (...specs: object[]) => {
    const advertisements = specs.map((spec, index) => advertisement(`ad-${index}`, spec));
    const services = [assigned('web', '198.51.100.1')];
    return planFor(world({ services, advertisements }), settings).plan.get('198.51.100.1')?.links;
  };
  assert.deepEqual(links({ interfaces: ['eth1'] }, { interfaces: ['eth0', 'eth1'] }), [
    'eth0',
    'eth1',
  ]);
  assert.equal(links({ interfaces: ['eth1'] }, {}), undefined);
  const elsewhere = { nodeSelectors: [{ matchLabels: { 'kubernetes.io/hostname': 'b' } }] };
  assert.deepEqual(links({ interfaces: ['eth1'] }, elsewhere), ['eth1']);
  assert.deepEqual(links(elsewhere), []);
});

// MetalLB: E9
test('Services on one address have one plan, with the candidates of both', () => {
  const local: Service = {
    ...assigned('local', '198.51.100.1'),
    spec: { type: 'LoadBalancer', externalTrafficPolicy: 'Local' },
  };
  const { plan } = planFor(world({ services: [assigned('web', '198.51.100.1'), local] }), settings);
  assert.deepEqual(plan.get('198.51.100.1'), {
    services: ['default/web', 'default/local'],
    candidates: [{ node: 'a', score: 0 }],
    links: undefined,
  });
});

test('what a node has as its own address is announced by nobody', () => {
  const services = [assigned('web', '198.51.100.1'), assigned('dns', '2001:DB8::0:1')];
  const nodes = [node('a', { addresses: ['198.51.100.1', '2001:db8::1', 'a.example'] }), node('b')];
  const { plan, silent } = planFor({ ...world({ services }), nodes }, settings);
  assert.equal(plan.size, 0);
  assert.deepEqual(
    silent.map(({ address, reason }) => `${address} ${reason}`),
    ['198.51.100.1 NodeAddress', '2001:db8::1 NodeAddress'],
  );
});

test('a Service that has the addresses of nodes is no matter of speakers, also when a node is gone', () => {
  const marked = assigned('web', '198.51.100.1', { 'metallb.io/has-node-addresses': 'true' });
  assert.deepEqual(planFor(world({ services: [marked] }), settings), {
    plan: new Map(),
    silent: [],
  });
});

test('what nobody announces is told with its reason', () => {
  const { plan, silent } = planFor(
    world({ services: [assigned('web', '198.51.100.1')], advertisements: [] }),
    settings,
  );
  assert.equal(plan.size, 0);
  assert.deepEqual(silent, [
    { service: 'default/web', address: '198.51.100.1', reason: 'NoAdvertisement' },
  ]);
});

describe('where nodes stand', () => {
  const holders = (what: Omit<Parameters<typeof world>[0], 'services'>): readonly string[] => {
    const services = [assigned('web', '198.51.100.1')];
    const { plan } = planFor(world({ services, ...what }), settings);
    return plan.get('198.51.100.1')?.candidates.map((candidate) => candidate.node) ?? [];
  };
  const apart = { a: ['203.0.113.11/24'], b: ['198.51.100.12/24', '2001:db8::12/64'] };

  test('a node without a link in the network of an address does not hold it', () => {
    assert.deepEqual(holders({ standings: apart }), ['b']);
  });

  test('a node that has not said so yet may hold it', () => {
    assert.deepEqual(holders({ standings: { a: apart.a } }), ['b']);
    assert.deepEqual(holders({ standings: { b: apart.b } }), ['a', 'b']);
  });

  test('an advertisement that names links asks for these, whatever their networks', () => {
    const on = (link: string) => [advertisement('all', { interfaces: [link] })];
    assert.deepEqual(holders({ standings: apart, advertisements: on('eth0') }), ['a', 'b']);
    const first = [advertisement('all', { interfaces: ['eth7'] })];
    assert.deepEqual(holders({ standings: { a: apart.a }, advertisements: first }), ['b']);
  });

  test('where nobody has one, all remain: who is there looks for itself', () => {
    const standings = { a: apart.a, b: apart.a };
    assert.deepEqual(holders({ standings }), ['a', 'b']);
  });
});

describe('an address that another station has', () => {
  const marked = (plan: Plan): string[] =>
    [...plan].flatMap(([address, { quarantinedBy }]) =>
      quarantinedBy === undefined ? [] : [`${address} by ${quarantinedBy.join(' and ')}`],
    );
  const found = (state: string, address = '198.51.100.1') => [
    { address, mac: '02:00:00:00:00:66', since: '2026-01-01T00:00:00Z', state },
  ];
  const standings = { a: ['198.51.100.11/24'], b: ['198.51.100.12/24'] };
  const quarantined = (foreign: Readonly<Record<string, readonly object[]>>) => {
    const services = [assigned('web', '198.51.100.1'), assigned('other', '198.51.100.2')];
    const { plan } = planFor(world({ services, standings, foreign }), settings);
    return marked(plan);
  };

  test('is marked with the nodes that have quarantined it', () => {
    const both = { a: found('Quarantined', '198.51.100.2'), b: found('Quarantined') };
    assert.deepEqual(quarantined(both), ['198.51.100.1 by b', '198.51.100.2 by a']);
    assert.deepEqual(quarantined({ ...both, a: found('Quarantined') }), [
      '198.51.100.1 by a and b',
    ]);
  });

  test('is not where it is answered for all the same, or nobody asks for it', () => {
    assert.deepEqual(quarantined({ b: found('Contested') }), []);
    assert.deepEqual(quarantined({ b: found('Quarantined', '198.51.100.9') }), []);
    assert.deepEqual(quarantined({}), []);
  });

  test('is marked by the word of a node that is lost: it may be taken from that one', () => {
    const services = [assigned('web', '198.51.100.1')];
    const foreign = { b: found('Quarantined') };
    const nodes = [node('a'), node('b', { ready: 'Unknown' })];
    const { plan } = planFor({ ...world({ services, standings, foreign }), nodes }, settings);
    assert.deepEqual(marked(plan), ['198.51.100.1 by b']);
  });

  test('is marked for all Services that share it', () => {
    const services = [assigned('web', '198.51.100.1'), assigned('too', '198.51.100.1')];
    const foreign = { b: found('Quarantined') };
    const { plan } = planFor(world({ services, standings, foreign }), settings);
    assert.equal(plan.get('198.51.100.1')?.services.length, 2);
    assert.deepEqual(marked(plan), ['198.51.100.1 by b']);
  });
});
