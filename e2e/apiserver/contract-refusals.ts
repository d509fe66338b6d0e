import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import type { Reply } from './contract-client.ts';
import type { Ground } from './contract-ground.ts';
import { type JsonObject, listAt, textAt } from './json.ts';

/** What is refused with 422, and the fields that it names. */
type Case = readonly [what: string, object: JsonObject, fields: readonly string[]];

const service = (spec: JsonObject, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'refused', ...metadata },
  spec: { type: 'LoadBalancer', ports: [{ port: 80 }], ...spec },
});

const slice = (endpoint: JsonObject): JsonObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'refused' },
  addressType: 'IPv4',
  endpoints: [endpoint],
  ports: [],
});

const lease = (spec: JsonObject): JsonObject => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'refused' },
  spec: { holderIdentity: 'a', ...spec },
});

const event = (fields: JsonObject): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: 'refused' },
  type: 'Normal',
  ...fields,
});

const refused: readonly Case[] = [
  [
    'a Service of a family that does not exist',
    service({ ipFamilies: ['IPv5'] }),
    ['spec.ipFamilies[0]'],
  ],
  [
    'a Service of two families without a policy for two',
    service({ ipFamilies: ['IPv4', 'IPv6'] }),
    ['spec.ipFamilyPolicy'],
  ],
  [
    'a load balancer class that is no label key',
    service({ loadBalancerClass: 'Bad Class' }),
    ['spec.loadBalancerClass'],
  ],
  [
    'a load balancer without a cluster address',
    service({ clusterIP: 'None' }),
    ['spec.clusterIPs[0]'],
  ],
  [
    'a finalizer without a domain',
    service({}, { finalizers: ['mine'] }),
    ['metadata.finalizers[0]'],
  ],
  ['an endpoint with no address at all', slice({ addresses: [] }), ['endpoints[0].addresses']],
  [
    'an endpoint whose address is none',
    slice({ addresses: ['junk'] }),
    ['endpoints[0].addresses[0]'],
  ],
  ['a lease for no time', lease({ leaseDurationSeconds: 0 }), ['spec.leaseDurationSeconds']],
  [
    'a lease that changed hands less than never',
    lease({ leaseDurationSeconds: 15, leaseTransitions: -1 }),
    ['spec.leaseTransitions'],
  ],
  [
    'an event about another namespace',
    event({ involvedObject: { kind: 'Service', namespace: 'elsewhere', name: 'a' } }),
    ['involvedObject.namespace'],
  ],
];

const groups: Readonly<Record<string, string>> = {
  Service: '/api/v1/{}/services',
  Event: '/api/v1/{}/events',
  EndpointSlice: '/apis/discovery.k8s.io/v1/{}/endpointslices',
  Lease: '/apis/coordination.k8s.io/v1/{}/leases',
};

/** What an API server does not take, and how it says so. */
export function describeRefusals(ground: () => Ground): void {
  const path = (kind: string, rest = ''): string =>
    `${groups[kind]?.replace('{}', `namespaces/${ground().namespace}`)}${rest}`;
  const fieldsOf = ({ body }: Reply): string[] => [
    ...new Set(listAt(body, 'details', 'causes').map((cause) => textAt(cause, 'field'))),
  ];

  for (const [what, object, fields] of refused) {
    test(`${what} is refused`, async () => {
      const reply = await ground().client.post(path(textAt(object, 'kind')), object);
      equal(reply.code, 422);
      deepEqual(fieldsOf(reply), fields);
    });
  }

  test('a lease time without six digits after the second is refused', async () => {
    const late = lease({ leaseDurationSeconds: 15, renewTime: '2026-01-01T00:00:00Z' });
    equal((await ground().client.post(path('Lease'), late)).code, 400);
  });

  test('a lease is not put without its version', async () => {
    const { client } = ground();
    const first = { ...lease({ leaseDurationSeconds: 15 }), metadata: { name: 'blind' } };
    equal((await client.post(path('Lease'), first)).code, 201);
    const reply = await client.put(path('Lease', '/blind'), first);
    equal(reply.code, 422);
    deepEqual(fieldsOf(reply), ['metadata.resourceVersion']);
  });

  test('the family of a Service stays, and so do its uid and the family of an EndpointSlice', async () => {
    const { client } = ground();
    await client.post(path('Service'), service({}, { name: 'family' }));
    const family = { spec: { ipFamilies: ['IPv6'] } };
    const other = await client.patch(path('Service', '/family'), 'merge', family);
    equal(other.code, 422);
    deepEqual(fieldsOf(other), ['spec.clusterIPs[0]']);
    const uid = { metadata: { uid: 'another' } };
    const renamed = await client.patch(path('Service', '/family'), 'merge', uid);
    equal(renamed.code, 422);
    deepEqual(fieldsOf(renamed), ['metadata.uid']);

    const four = { ...slice({ addresses: ['198.51.100.1'] }), metadata: { name: 'four' } };
    equal((await client.post(path('EndpointSlice'), four)).code, 201);
    const six = { addressType: 'IPv6', endpoints: [] };
    const changed = await client.patch(path('EndpointSlice', '/four'), 'merge', six);
    equal(changed.code, 422);
    deepEqual(fieldsOf(changed), ['addressType']);
  });

  test('an annotation that is no text, and a JSON patch that is none, are refused', async () => {
    const { client } = ground();
    await client.post(path('Service'), service({}, { name: 'patched' }));
    const number = { metadata: { annotations: { k: 5 } } };
    equal((await client.patch(path('Service', '/patched'), 'merge', number)).code, 422);
    const operation = [{ op: 'bend', path: '/x' }];
    equal((await client.patch(path('Service', '/patched'), 'json', operation)).code, 422);
  });

  test('what a list or a watch is asked has to make sense', async () => {
    const { client } = ground();
    const ask = async (query: string) => (await client.get(`${path('Service')}?${query}`)).code;
    equal(await ask('resourceVersionMatch=Exact'), 422);
    equal(await ask('resourceVersion=1&resourceVersionMatch=Nearly'), 422);
    equal(await ask('watch=true&timeoutSeconds=1&sendInitialEvents=true'), 422);
    equal(await ask('sendInitialEvents=true'), 422);
    equal(await ask('limit=many'), 400);
  });

  test('a delete says how dependents go in known words only', async () => {
    const { client } = ground();
    await client.post(path('Service'), service({}, { name: 'staying' }));
    const reply = await client.remove(path('Service', '/staying'), {
      propagationPolicy: 'Somehow',
    });
    equal(reply.code, 422);
    deepEqual(fieldsOf(reply), ['propagationPolicy']);
    equal((await client.get(path('Service', '/staying'))).code, 200);
  });

  test('who deletes a Service is told what it was', async () => {
    const { client } = ground();
    await client.post(path('Service'), service({}, { name: 'told' }));
    const { body } = await client.remove(path('Service', '/told'));
    equal(textAt(body, 'kind'), 'Service');
    equal(textAt(body, 'metadata', 'name'), 'told');
  });

  test('a Service may have a name that begins with a digit', async () => {
    const { client } = ground();
    const { code } = await client.post(path('Service'), service({}, { name: '9-to-5' }));
    equal(code, 201);
  });

  test('the items of a built-in list carry no kind; those of a custom one do', async () => {
    const { client } = ground();
    await client.post(path('Service'), service({}, { name: 'plain' }));
    const { body } = await client.get(path('Service'));
    equal(textAt(body, 'kind'), 'ServiceList');
    equal(textAt(listAt(body, 'items')[0], 'kind'), '');
  });

  test('a new node is not ready until somebody says so', async () => {
    const { client } = ground();
    const metadata = { name: `node-of-${ground().namespace}` };
    const made = await client.post('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata });
    deepEqual(
      listAt(made.body, 'spec', 'taints').map((taint) => textAt(taint, 'key')),
      ['node.kubernetes.io/not-ready'],
    );
    await client.remove(`/api/v1/nodes/${metadata.name}`);
  });

  test('a node may have several addresses of one type', async () => {
    const { client } = ground();
    const metadata = { name: `dual-${ground().namespace}` };
    const nodes = '/api/v1/nodes';
    await client.post(nodes, { apiVersion: 'v1', kind: 'Node', metadata });
    const addresses = ['198.51.100.77', '2001:db8::77'].map((address) => ({
      type: 'InternalIP',
      address,
    }));
    const { code, body } = await client.patch(`${nodes}/${metadata.name}/status`, 'merge', {
      status: { addresses },
    });
    equal(code, 200);
    deepEqual(listAt(body, 'status', 'addresses'), addresses);
    await client.remove(`${nodes}/${metadata.name}`);
  });
}
