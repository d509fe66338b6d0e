import { deepEqual, equal, match } from 'node:assert/strict';
import { test } from 'node:test';
import type { Ground } from './contract-ground.ts';
import { at, isObject, type JsonObject, listAt, textAt } from './json.ts';
import { until } from '../../daemon/testing/until.ts';

const group = `contract-${process.pid}.example.com`;
const definition: JsonObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `basins.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { plural: 'basins', kind: 'Basin' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            required: ['spec'],
            properties: {
              spec: {
                type: 'object',
                required: ['addresses'],
                properties: {
                  addresses: {
                    type: 'array',
                    minItems: 1,
                    items: { type: 'string', minLength: 3 },
                  },
                  open: { type: 'boolean', default: true },
                  mode: { type: 'string', enum: ['fast', 'slow'] },
                  depth: { type: 'integer', minimum: 1, maximum: 9 },
                },
              },
              status: { type: 'object', properties: { used: { type: 'integer' } } },
            },
          },
        },
      },
    ],
  },
};

/** Kinds that come from a definition. The tests share it, in this order. */
export function describeCustomKinds(ground: () => Ground): void {
  const path = (rest = ''): string =>
    `/apis/${group}/v1/namespaces/${ground().namespace}/basins${rest}`;
  const basin = (name: string, spec: JsonObject): JsonObject => ({
    apiVersion: `${group}/v1`,
    kind: 'Basin',
    metadata: { name },
    spec,
  });

  test('a definition is established and its kind served', async () => {
    const { client } = ground();
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    equal((await client.post(definitions, definition)).code, 201);
    await until('the definition is established', async () => {
      const { body } = await client.get(`${definitions}/basins.${group}`);
      return listAt(body, 'status', 'conditions').some(
        (condition) =>
          isObject(condition) &&
          condition['type'] === 'Established' &&
          condition['status'] === 'True',
      );
    });
    await until('the kind is served', async () => (await client.get(path())).code === 200);
  });

  test('defaults are filled in and unknown fields pruned', async () => {
    const { client } = ground();
    const sent = basin('trimmed', { addresses: ['198.51.100.0/24'], opne: false });
    const { code, body, warning } = await client.post(path(), sent);
    equal(code, 201);
    deepEqual(body['spec'], { addresses: ['198.51.100.0/24'], open: true });
    match(warning, /unknown field \\"spec\.opne\\"/);
  });

  test('unknown fields are refused where asked to be strict', async () => {
    const { client } = ground();
    const sent = basin('strict', { addresses: ['198.51.100.0/24'], opne: false });
    const { code, body } = await client.post(`${path()}?fieldValidation=Strict`, sent);
    equal(code, 400);
    match(textAt(body, 'message'), /strict decoding error: unknown field "spec\.opne"$/);
  });

  test('what the schema forbids is refused with every cause', async () => {
    const { client } = ground();
    const { code, body } = await client.post(
      path(),
      basin('wrong', { addresses: [], mode: 'still', depth: 0 }),
    );
    equal(code, 422);
    const causes = listAt(body, 'details', 'causes').map(
      (cause) => `${textAt(cause, 'field')}: ${textAt(cause, 'message')}`,
    );
    deepEqual(causes.toSorted(), [
      'spec.addresses: Invalid value: 0: spec.addresses in body should have at least 1 items',
      'spec.depth: Invalid value: 0: spec.depth in body should be greater than or equal to 1',
      'spec.mode: Unsupported value: "still": supported values: "fast", "slow"',
    ]);
    const missing = await client.post(path(), basin('missing', {}));
    equal(
      textAt(missing.body, 'message'),
      `Basin.${group} "missing" is invalid: spec.addresses: Required value`,
    );
  });

  test('the generation counts changes of spec, and status has its own endpoint', async () => {
    const { client } = ground();
    const { body } = await client.post(path(), {
      ...basin('counted', { addresses: ['198.51.100.0/24'] }),
      status: { used: 9 },
    });
    equal(body['status'], undefined);
    equal(at(body, 'metadata', 'generation'), 1);
    const status = await client.patch(path('/counted/status'), 'merge', {
      spec: { open: false },
      status: { used: 3 },
    });
    equal(at(status.body, 'spec', 'open'), true);
    equal(at(status.body, 'status', 'used'), 3);
    equal(at(status.body, 'metadata', 'generation'), 1);
    const changed = await client.patch(path('/counted'), 'merge', {
      spec: { open: false },
      status: { used: 4 },
    });
    equal(at(changed.body, 'metadata', 'generation'), 2);
    equal(at(changed.body, 'status', 'used'), 3);
  });

  test('a PUT must carry a version, and no strategic merge patch is taken', async () => {
    const { client } = ground();
    await client.post(path(), basin('careful', { addresses: ['198.51.100.0/24'] }));
    const blind = await client.put(
      path('/careful'),
      basin('careful', { addresses: ['203.0.113.0/24'] }),
    );
    equal(blind.code, 422);
    equal(textAt(blind.body, 'details', 'causes', 0, 'field'), 'metadata.resourceVersion');
    equal((await client.patch(path('/careful'), 'strategic', { spec: {} })).code, 415);
  });

  test('the kind goes with its definition', async () => {
    const { client } = ground();
    await client.remove(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/basins.${group}`);
    await until('the kind is gone', async () => (await client.get(path())).code === 404);
  });
}
