import { deepEqual, equal, match, notEqual } from 'node:assert/strict';
import { test } from 'node:test';
import type { Ground } from './contract-ground.ts';
import { asText, at, isObject, type JsonObject, listAt, objectAt, textAt } from './json.ts';

const service = (name: string, spec: JsonObject): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { ports: [{ port: 80 }], ...spec },
});

/** Services as load balancers meet them. */
export function describeServices(ground: () => Ground): void {
  const path = (rest = ''): string => `/api/v1/namespaces/${ground().namespace}/services${rest}`;

  test('a LoadBalancer Service gets its defaults, a cluster address and node ports', async () => {
    const { body } = await ground().client.post(path(), service('full', { type: 'LoadBalancer' }));
    const spec = objectAt(body, 'spec');
    notEqual(textAt(spec, 'clusterIP'), '');
    deepEqual(spec['clusterIPs'], [spec['clusterIP']]);
    deepEqual(listAt(spec, 'ipFamilies').length, 1);
    equal(spec['ipFamilyPolicy'], 'SingleStack');
    equal(spec['sessionAffinity'], 'None');
    equal(spec['externalTrafficPolicy'], 'Cluster');
    equal(spec['internalTrafficPolicy'], 'Cluster');
    equal(spec['allocateLoadBalancerNodePorts'], true);
    const port = objectAt(body, 'spec', 'ports', 0);
    equal(port['protocol'], 'TCP');
    equal(port['targetPort'], 80);
    match(asText(port['nodePort']), /^3[0-2]\d{3}$/);
    deepEqual(body['status'], { loadBalancer: {} });
  });

  test('its status is written by its own endpoint only, annotations by both', async () => {
    const { client } = ground();
    await client.post(path(), service('two-doors', { type: 'LoadBalancer' }));
    const status = { loadBalancer: { ingress: [{ ip: '198.51.100.7' }] } };
    const given = await client.patch(path('/two-doors/status'), 'merge', {
      metadata: { annotations: { 'example.com/from': 'status' } },
      spec: { sessionAffinity: 'ClientIP' },
      status,
    });
    equal(given.code, 200);
    deepEqual(at(given.body, 'status', 'loadBalancer', 'ingress'), [
      { ip: '198.51.100.7', ipMode: 'VIP' },
    ]);
    equal(at(given.body, 'spec', 'sessionAffinity'), 'None');
    equal(at(given.body, 'metadata', 'annotations', 'example.com/from'), 'status');
    const ignored = await client.patch(path('/two-doors'), 'merge', {
      status: { loadBalancer: null },
    });
    deepEqual(at(ignored.body, 'status'), at(given.body, 'status'));
  });

  test('leaving the type LoadBalancer leaves nothing of it behind', async () => {
    const { client } = ground();
    await client.post(
      path(),
      service('leaving', { type: 'LoadBalancer', loadBalancerClass: 'example.com/a' }),
    );
    await client.patch(path('/leaving/status'), 'merge', {
      status: { loadBalancer: { ingress: [{ ip: '198.51.100.8' }] } },
    });
    const { code, body } = await client.patch(path('/leaving'), 'merge', {
      spec: { type: 'ClusterIP' },
    });
    equal(code, 200);
    const spec = objectAt(body, 'spec');
    for (const key of [
      'loadBalancerClass',
      'allocateLoadBalancerNodePorts',
      'externalTrafficPolicy',
    ]) {
      equal(spec[key], undefined, key);
    }
    equal(at(spec, 'ports', 0, 'nodePort'), undefined);
    deepEqual(body['status'], { loadBalancer: {} });
  });

  test('its class cannot change, nor its cluster address', async () => {
    const { client } = ground();
    await client.post(
      path(),
      service('fixed', { type: 'LoadBalancer', loadBalancerClass: 'example.com/a' }),
    );
    const moved = await client.patch(path('/fixed'), 'merge', {
      spec: { loadBalancerClass: 'example.com/b' },
    });
    equal(moved.code, 422);
    equal(textAt(moved.body, 'details', 'causes', 0, 'field'), 'spec.loadBalancerClass');
    const other = await client.patch(path('/fixed'), 'merge', { spec: { clusterIP: 'None' } });
    equal(other.code, 422);
  });

  test('a PUT that leaves out what the server gave keeps it', async () => {
    const { client } = ground();
    const { body } = await client.post(path(), service('kept', { type: 'LoadBalancer' }));
    const again = await client.put(path('/kept'), service('kept', { type: 'LoadBalancer' }));
    equal(again.code, 200);
    deepEqual(again.body['spec'], body['spec']);
  });

  test('wrong ports and types are refused by name', async () => {
    const { client } = ground();
    const causesOf = async (spec: JsonObject): Promise<string[]> => {
      const { code, body } = await client.post(path(), service('wrong', spec));
      equal(code, 422);
      return listAt(body, 'details', 'causes').map((cause) => textAt(cause, 'field'));
    };
    deepEqual(await causesOf({ ports: [{ port: 70_000, targetPort: 80 }] }), [
      'spec.ports[0].port',
    ]);
    deepEqual(await causesOf({ ports: [] }), ['spec.ports']);
    deepEqual(await causesOf({ loadBalancerClass: 'example.com/a' }), ['spec.loadBalancerClass']);
    deepEqual(await causesOf({ ports: [{ port: 1 }, { port: 2, name: 'b' }] }), [
      'spec.ports[0].name',
    ]);
  });

  test('a strategic merge patch merges ports by their number', async () => {
    const { client } = ground();
    const ports = [
      { name: 'http', port: 80 },
      { name: 'https', port: 443 },
    ];
    await client.post(path(), service('strategic', { ports }));
    const { body } = await client.patch(path('/strategic'), 'strategic', {
      spec: {
        ports: [
          { port: 80, targetPort: 8080 },
          { port: 443, $patch: 'delete' },
        ],
      },
    });
    const shown = listAt(body, 'spec', 'ports').filter(isObject);
    deepEqual(
      shown.map(({ name, port, targetPort }) => [name, port, targetPort]),
      [['http', 80, 8080]],
    );
  });
}
