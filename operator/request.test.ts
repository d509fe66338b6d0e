import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Service, ServiceSpec } from '../kube/object.ts';
import { formatAddress } from '../net/address.ts';
import { isAnnounced, readRequest, readTerms, statusAddresses } from './request.ts';
import { dualStack, request, service, type ServiceCase } from './testing/town.ts';

const reasonOf = (extra: ServiceCase): string => {
  const reading = readRequest(service('a', extra), undefined);
  return reading.kind === 'faulty' ? reading.refusal.reason : reading.kind;
};
const ask = (value: string, extra: ServiceCase = {}): ServiceCase => ({
  ...extra,
  annotations: { 'metallb.io/loadBalancerIPs': value },
});

test('addresses are read from either spelling of the annotation, and from the field', () => {
  const both = {
    'metallb.universe.tf/loadBalancerIPs': '198.51.100.1',
    'metallb.io/loadBalancerIPs': ' 198.51.100.2 ',
  };
  const wanted = (extra: ServiceCase) => request('a', extra).wanted.map(formatAddress);
  assert.deepEqual(wanted({ annotations: both }), ['198.51.100.2']);
  const old = { 'metallb.universe.tf/loadBalancerIPs': '198.51.100.1' };
  assert.deepEqual(wanted({ annotations: old }), ['198.51.100.1']);
  assert.deepEqual(wanted({ spec: { loadBalancerIP: '198.51.100.3' } }), ['198.51.100.3']);
  assert.deepEqual(wanted(ask('')), []);
});

// MetalLB: TestControllerMutation (both fields, garbage, families)
test('a request that cannot be meant is refused by name', () => {
  const field: ServiceCase = { spec: { loadBalancerIP: '198.51.100.3' } };
  assert.equal(reasonOf(ask('198.51.100.1', field)), 'AddressAskedTwice');
  for (const text of ['198.51.100.300', '198.51.100.1,', 'lan', '198.51.100.0/24', '1.2.3']) {
    assert.equal(reasonOf(ask(text)), 'AddressUnreadable', text);
  }
  for (const text of ['127.0.0.1', '224.0.0.5', '255.255.255.255', '0.0.0.0', '::1', 'ff02::1'])
    assert.equal(reasonOf(ask(text)), 'AddressUnusable', text);
  assert.equal(reasonOf(ask('2001:db8::1')), 'FamilyMismatch');
  assert.equal(reasonOf(ask('198.51.100.1, 198.51.100.2')), 'request');
  assert.equal(reasonOf(ask(Array(17).fill('198.51.100.1').join())), 'CountUnreadable');
  for (const count of ['0', '17', '-1', '1.5', 'many', '1e1']) {
    const annotations = { 'metallb.io/address-count': count };
    assert.equal(reasonOf({ annotations }), 'CountUnreadable', count);
  }
  const dual = dualStack('RequireDualStack');
  assert.equal(reasonOf(ask('198.51.100.1', dual)), 'FamilyMismatch');
  assert.equal(reasonOf(ask('198.51.100.1,198.51.100.2', dual)), 'FamilyMismatch');
  assert.equal(reasonOf(ask('198.51.100.1,2001:db8::1', dual)), 'request');
  assert.equal(reasonOf({ spec: { ipFamilyPolicy: 'RequireDualStack' } }), 'ClusterAddressMissing');
});

// MetalLB: E59
test('only LoadBalancers of our class are ours', () => {
  const kind = (spec: ServiceSpec, lbClass?: string) =>
    readRequest(service('a', { spec }), lbClass).kind;
  assert.equal(kind({}), 'request');
  assert.equal(kind({}, 'example.com/x'), 'foreign');
  assert.equal(kind({ loadBalancerClass: 'example.com/x' }), 'foreign');
  assert.equal(kind({ loadBalancerClass: 'example.com/x' }, 'example.com/x'), 'request');
  assert.equal(kind({ type: 'ClusterIP' }), 'foreign');
});

test('what a LoadBalancer of our class shows is announced, unless nodes answer for it themselves', () => {
  const status = { loadBalancer: { ingress: [{ ip: '198.51.100.1' }] } };
  const announced = (extra: ServiceCase, shown: Service['status'] = status) =>
    isAnnounced({ ...service('a', extra), status: shown }, undefined);
  assert.equal(announced({}), true);
  assert.equal(announced({}, {}), false);
  assert.equal(announced({ spec: { type: 'ClusterIP' } }), false);
  assert.equal(announced({ spec: { loadBalancerClass: 'example.com/x' } }), false);
  assert.equal(announced({ annotations: { 'metallb.io/has-node-addresses': 'true' } }), false);
});

// MetalLB: TestControllerMutation (no cluster address)
test('nothing is decided before the Service has a cluster address, or when it is about to go', () => {
  assert.equal(reasonOf({ spec: { clusterIPs: [] } }), 'unready');
  assert.equal(reasonOf({ spec: { clusterIPs: ['None'] } }), 'unready');
  const { metadata, ...rest } = service('a');
  const going = { ...rest, metadata: { ...metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
  assert.equal(readRequest(going, undefined).kind, 'unready');
});

test('the backend of a Local Service is its selector, in whatever order that is written', () => {
  const terms = (spec: ServiceSpec) => readTerms(service('a', { spec })).backend;
  const local = { externalTrafficPolicy: 'Local' } as const;
  assert.equal(terms({ selector: { a: '1' } }), '');
  assert.equal(terms({ ...local, selector: {} }), '');
  assert.equal(
    terms({ ...local, selector: { a: '1', b: '2' } }),
    terms({ ...local, selector: { b: '2', a: '1' } }),
  );
  assert.notEqual(
    terms({ ...local, selector: { a: '1' } }),
    terms({ ...local, selector: { a: '2' } }),
  );
});

test('of a status only its addresses count', () => {
  const { metadata } = service('a');
  const ingress = [{ hostname: 'lb.example.com' }, { ip: 'junk' }, { ip: '198.51.100.1' }];
  const addresses = statusAddresses({ metadata, status: { loadBalancer: { ingress } } });
  assert.deepEqual(addresses.map(formatAddress), ['198.51.100.1']);
});

test('any text in any field is read or refused with a reason, and never throws', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.ipV4(),
    fc.ipV6(),
    fc.constantFrom('__proto__', 'constructor', '::', '0.0.0.0', ',', ' ', '[]', '198.51.100.1,'),
  );
  const spec = fc.record({
    clusterIPs: fc.array(text, { maxLength: 3 }),
    ipFamilies: fc.array(text, { maxLength: 3 }),
    ipFamilyPolicy: text,
    loadBalancerIP: text,
    externalTrafficPolicy: fc.constantFrom('Local', 'Cluster'),
    selector: fc.dictionary(text, text),
  });
  const names = ['loadBalancerIPs', 'address-pool', 'allow-shared-ip', 'ip-allocated-from-pool'];
  const keys = names.flatMap((name) => [`metallb.io/${name}`, `metallb.universe.tf/${name}`]);
  const annotations = fc.dictionary(fc.constantFrom(...keys), text);
  fc.assert(
    fc.property(spec, annotations, (written, notes) => {
      const odd = service('a', { spec: written as ServiceSpec, annotations: notes });
      const reading = readRequest(odd, undefined);
      assert.ok(['request', 'faulty', 'unready'].includes(reading.kind));
      if (reading.kind === 'faulty') assert.ok(reading.refusal.detail.length < 600);
      readTerms(odd);
    }),
    { numRuns: 300 },
  );
});
