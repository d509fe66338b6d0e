import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, type Ground, versionOf } from './contract-ground.ts';
import { type Json, type JsonObject, listAt, objectAt, textAt } from './json.ts';

/** The four kinds of patch, and who owns what after an apply. */
export function describePatches(ground: () => Ground): void {
  const path = (name = ''): string =>
    `/api/v1/namespaces/${ground().namespace}/configmaps${name === '' ? '' : `/${name}`}`;
  const dataOf = (body: JsonObject): Json => objectAt(body, 'data');
  const apply = (name: string, manager: string, data: JsonObject, query = '') =>
    ground().client.patch(
      `${path(name)}?fieldManager=${manager}${query}`,
      'apply',
      configMap(name, { data }),
    );

  test('a merge patch sets, and removes with null', async () => {
    const { client } = ground();
    await client.post(path(), configMap('merged', { data: { a: '1', b: '2' } }));
    const { body } = await client.patch(path('merged'), 'merge', { data: { a: null, c: '3' } });
    deepEqual(dataOf(body), { b: '2', c: '3' });
  });

  test('a patch with a version insists on it', async () => {
    const { client } = ground();
    const { body } = await client.post(path(), configMap('insisting', { data: { a: '1' } }));
    await client.patch(path('insisting'), 'merge', { data: { a: '2' } });
    const late = { metadata: { resourceVersion: versionOf(body) }, data: { a: '3' } };
    equal((await client.patch(path('insisting'), 'merge', late)).code, 409);
  });

  test('a JSON patch is done whole or not at all', async () => {
    const { client } = ground();
    await client.post(path(), configMap('stepped', { data: { a: '1' } }));
    const good = await client.patch(path('stepped'), 'json', [
      { op: 'test', path: '/data/a', value: '1' },
      { op: 'add', path: '/data/b', value: '2' },
      { op: 'move', from: '/data/a', path: '/data/c' },
    ]);
    deepEqual(dataOf(good.body), { b: '2', c: '1' });
    const bad = await client.patch(path('stepped'), 'json', [
      { op: 'add', path: '/data/d', value: '4' },
      { op: 'test', path: '/data/c', value: 'other' },
    ]);
    equal(bad.code, 422);
    deepEqual(dataOf((await client.get(path('stepped'))).body), { b: '2', c: '1' });
  });

  test('an apply creates, and takes back what it no longer names', async () => {
    const { client } = ground();
    const first = await apply('applied', 'one', { a: '1', b: '2' });
    equal(first.code, 201);
    await client.patch(`${path('applied')}?fieldManager=two`, 'merge', { data: { c: '3' } });
    const second = await apply('applied', 'one', { a: '1' });
    equal(second.code, 200);
    deepEqual(dataOf(second.body), { a: '1', c: '3' });
  });

  test('an apply that changes nothing makes no new version', async () => {
    const first = await apply('settled', 'one', { a: '1' });
    const second = await apply('settled', 'one', { a: '1' });
    equal(versionOf(second.body), versionOf(first.body));
  });

  test('a value that another owns is a conflict, unless forced', async () => {
    await apply('contested', 'one', { a: '1' });
    const refused = await apply('contested', 'two', { a: '2' });
    equal(refused.code, 409);
    equal(refused.body['reason'], 'Conflict');
    match(
      textAt(refused.body, 'message'),
      /^Apply failed with 1 conflict: conflict with "one".*: \.data\.a$/,
    );
    const [cause] = listAt(refused.body, 'details', 'causes');
    equal(textAt(cause, 'reason'), 'FieldManagerConflict');
    equal(textAt(cause, 'field'), '.data.a');
    const forced = await apply('contested', 'two', { a: '2' }, '&force=true');
    equal(forced.code, 200);
    deepEqual(dataOf(forced.body), { a: '2' });
    const owners = listAt(forced.body, 'metadata', 'managedFields').map((entry) =>
      textAt(entry, 'manager'),
    );
    ok(!owners.includes('one'));
  });

  test('two may own one value that they agree on', async () => {
    await apply('shared', 'one', { a: '1' });
    equal((await apply('shared', 'two', { a: '1' })).code, 200);
    const { body } = await apply('shared', 'one', {});
    deepEqual(dataOf(body), { a: '1' });
  });

  test('an apply must say who applies', async () => {
    const { client } = ground();
    const { code } = await client.patch(path('nameless'), 'apply', configMap('nameless'));
    ok(code === 400 || code === 422);
  });
}
