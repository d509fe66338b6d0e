import { equal, deepEqual, match, notEqual, ok } from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type Client, firstEvents } from './contract-client.ts';
import { configMap, type Ground, nameOf, versionOf } from './contract-ground.ts';
import { describeCustomKinds } from './contract-custom.ts';
import { describePatches } from './contract-patches.ts';
import { describeRefusals } from './contract-refusals.ts';
import { describeServices } from './contract-services.ts';
import { type JsonObject, listAt, textAt } from './json.ts';

/**
 * What we rely on of a Kubernetes API server. It is stated against the embedded server and against
 * the real one; only what both do may stand here.
 */
export function describeContract(name: string, open: () => Promise<Client>): void {
  suite(`the API server contract: ${name}`, () => {
    let client: Client;
    const namespace = `contract-${process.pid}`;
    const ground = (): Ground => ({ client, namespace });
    before(async () => {
      client = await open();
      const made = await client.post('/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: namespace },
      });
      equal(made.code, 201);
    });
    after(async () => {
      await client.remove(`/api/v1/namespaces/${namespace}`);
    });
    describeObjects(ground);
    describeLists(ground);
    describeWatches(ground);
    describePatches(ground);
    describeServices(ground);
    describeCustomKinds(ground);
    describeRefusals(ground);
  });
}

const maps = ({ namespace }: Ground): string => `/api/v1/namespaces/${namespace}/configmaps`;

function describeObjects(ground: () => Ground): void {
  test('a created object gets uid, time and version', async () => {
    const { client } = ground();
    const { code, body } = await client.post(
      maps(ground()),
      configMap('fresh', { data: { a: '1' } }),
    );
    equal(code, 201);
    match(textAt(body, 'metadata', 'uid'), /^[0-9a-f-]{36}$/);
    match(textAt(body, 'metadata', 'creationTimestamp'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    notEqual(versionOf(body), '');
  });

  test('generateName is completed by the server', async () => {
    const { client } = ground();
    const made = await client.post(maps(ground()), {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { generateName: 'made-' },
    });
    match(nameOf(made.body), /^made-[a-z0-9]{5}$/);
  });

  test('a name that is taken is refused with 409 AlreadyExists', async () => {
    const { client } = ground();
    await client.post(maps(ground()), configMap('taken'));
    const { code, body } = await client.post(maps(ground()), configMap('taken'));
    equal(code, 409);
    equal(body['reason'], 'AlreadyExists');
    equal(body['message'], 'configmaps "taken" already exists');
    deepEqual(body['details'], { name: 'taken', kind: 'configmaps' });
  });

  test('what is not there is a 404 Status that says what', async () => {
    const { client } = ground();
    const { code, body } = await client.get(`${maps(ground())}/nobody`);
    equal(code, 404);
    equal(body['kind'], 'Status');
    equal(body['message'], 'configmaps "nobody" not found');
    deepEqual(body['details'], { name: 'nobody', kind: 'configmaps' });
    equal((await client.get('/apis/example.invalid/v1/things')).code, 404);
  });

  test('nothing is created in a namespace that does not exist', async () => {
    const { client } = ground();
    const { code, body } = await client.post(
      '/api/v1/namespaces/nowhere/configmaps',
      configMap('a'),
    );
    equal(code, 404);
    equal(body['message'], 'namespaces "nowhere" not found');
  });

  test('a bad name is refused with 422 and its cause', async () => {
    const { client } = ground();
    const { code, body } = await client.post(maps(ground()), configMap('Not_A_Name'));
    equal(code, 422);
    equal(body['reason'], 'Invalid');
    const [cause] = listAt(body, 'details', 'causes');
    equal(textAt(cause, 'field'), 'metadata.name');
    equal(textAt(cause, 'reason'), 'FieldValueInvalid');
  });

  test('an update from an old version is refused with 409 Conflict', async () => {
    const { client } = ground();
    const { body } = await client.post(maps(ground()), configMap('stale'));
    await client.put(`${maps(ground())}/stale`, { ...body, data: { by: 'first' } });
    const late = await client.put(`${maps(ground())}/stale`, { ...body, data: { by: 'second' } });
    equal(late.code, 409);
    equal(late.body['reason'], 'Conflict');
    equal(
      late.body['message'],
      'Operation cannot be fulfilled on configmaps "stale": the object has been modified; please apply your changes to the latest version and try again',
    );
  });

  test('an update that changes nothing makes no new version', async () => {
    const { client } = ground();
    const { body } = await client.post(maps(ground()), configMap('same', { data: { a: '1' } }));
    const again = await client.put(`${maps(ground())}/same`, body);
    equal(again.code, 200);
    equal(versionOf(again.body), versionOf(body));
  });

  test('an object with a finalizer is marked, and goes with its last finalizer', async () => {
    const { client } = ground();
    const path = `${maps(ground())}/held`;
    await client.post(
      maps(ground()),
      configMap('held', { metadata: { finalizers: ['example.com/hold'] } }),
    );
    const deleted = await client.remove(path);
    equal(deleted.code, 200);
    const marked = await client.get(path);
    notEqual(textAt(marked.body, 'metadata', 'deletionTimestamp'), '');
    const freed = await client.patch(path, 'merge', { metadata: { finalizers: null } });
    equal(freed.code, 200);
    equal((await client.get(path)).code, 404);
  });

  test('a delete may insist on the uid', async () => {
    const { client } = ground();
    const { body } = await client.post(maps(ground()), configMap('insisted'));
    const path = `${maps(ground())}/insisted`;
    const wrong = await client.remove(path, { preconditions: { uid: 'another' } });
    equal(wrong.code, 409);
    const right = await client.remove(path, {
      preconditions: { uid: textAt(body, 'metadata', 'uid') },
    });
    equal(right.code, 200);
  });

  test('a dry run says what would be and changes nothing', async () => {
    const { client } = ground();
    const { code } = await client.post(`${maps(ground())}?dryRun=All`, configMap('dry'));
    equal(code, 201);
    equal((await client.get(`${maps(ground())}/dry`)).code, 404);
  });

  test('a Lease is taken by one of two who try at once', async () => {
    const { client, namespace } = ground();
    const leases = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'one' },
    };
    const { body } = await client.post(leases, { ...lease, spec: { holderIdentity: '' } });
    const take = (holderIdentity: string) =>
      client.put(`${leases}/one`, { ...body, spec: { holderIdentity, leaseDurationSeconds: 15 } });
    const codes = (await Promise.all([take('a'), take('b')])).map(({ code }) => code);
    deepEqual(
      codes.toSorted((a, b) => a - b),
      [200, 409],
    );
  });
}

function describeLists(ground: () => Ground): void {
  const fill = async (prefix: string): Promise<void> => {
    const { client } = ground();
    for (const [index, tier] of ['front', 'back', 'front', 'none', 'back'].entries()) {
      const labels: JsonObject = tier === 'none' ? { set: prefix } : { set: prefix, tier };
      await client.post(maps(ground()), configMap(`${prefix}-${index}`, { metadata: { labels } }));
    }
  };

  test('pages add up to the list, at the version of the first page', async () => {
    const { client } = ground();
    await fill('page');
    const names: string[] = [];
    const versions = new Set<string>();
    let next = '';
    do {
      const query = `labelSelector=set%3Dpage&limit=2&continue=${encodeURIComponent(next)}`;
      const { body } = await client.get(`${maps(ground())}?${query}`);
      names.push(...listAt(body, 'items').map(nameOf));
      versions.add(versionOf(body));
      next = textAt(body, 'metadata', 'continue');
      if (names.length === 2)
        await client.post(
          maps(ground()),
          configMap('page-9', { metadata: { labels: { set: 'page' } } }),
        );
    } while (next !== '');
    deepEqual(names, ['page-0', 'page-1', 'page-2', 'page-3', 'page-4']);
    equal(versions.size, 1);
  });

  test('selectors choose by label and by field', async () => {
    const { client } = ground();
    await fill('pick');
    const chosen = async (query: string): Promise<string[]> => {
      const { body } = await client.get(`${maps(ground())}?${query}`);
      return listAt(body, 'items').map(nameOf);
    };
    const label = (text: string) => `labelSelector=${encodeURIComponent(`set=pick,${text}`)}`;
    deepEqual(await chosen(label('tier=front')), ['pick-0', 'pick-2']);
    deepEqual(await chosen(label('tier!=front')), ['pick-1', 'pick-3', 'pick-4']);
    deepEqual(await chosen(label('tier in (back,front)')), [
      'pick-0',
      'pick-1',
      'pick-2',
      'pick-4',
    ]);
    deepEqual(await chosen(label('!tier')), ['pick-3']);
    deepEqual(await chosen('fieldSelector=metadata.name%3Dpick-4'), ['pick-4']);
    const unknown = await client.get(`${maps(ground())}?fieldSelector=data.a%3D1`);
    equal(unknown.code, 400);
  });

  test('deletecollection removes what is selected', async () => {
    const { client } = ground();
    await fill('sweep');
    await client.remove(`${maps(ground())}?labelSelector=set%3Dsweep,tier%3Dback`);
    const { body } = await client.get(`${maps(ground())}?labelSelector=set%3Dsweep`);
    deepEqual(listAt(body, 'items').map(nameOf), ['sweep-0', 'sweep-2', 'sweep-3']);
  });

  test('a table has cells for kubectl', async () => {
    const { client } = ground();
    await client.post(maps(ground()), configMap('shown', { data: { a: '1', b: '2' } }));
    const { body } = await client.get(
      `${maps(ground())}/shown`,
      'application/json;as=Table;v=v1;g=meta.k8s.io',
    );
    equal(body['kind'], 'Table');
    const [row] = listAt(body, 'rows');
    deepEqual(listAt(row, 'cells').slice(0, 2), ['shown', 2]);
  });
}

function describeWatches(ground: () => Ground): void {
  test('a watch from a version tells everything after it, in order', async () => {
    const { client } = ground();
    const { body } = await client.get(maps(ground()));
    await client.post(maps(ground()), configMap('seen'));
    await client.patch(`${maps(ground())}/seen`, 'merge', { data: { a: '1' } });
    await client.patch(`${maps(ground())}/seen`, 'merge', { data: { a: '1' } });
    await client.remove(`${maps(ground())}/seen`);
    await client.post(maps(ground()), configMap('next'));
    const events = await firstEvents(
      client,
      `${maps(ground())}?resourceVersion=${versionOf(body)}`,
      4,
    );
    deepEqual(events, ['ADDED seen', 'MODIFIED seen', 'DELETED seen', 'ADDED next']);
  });

  test('a watch without a version begins with what there is', async () => {
    const { client } = ground();
    await client.post(maps(ground()), configMap('there'));
    const path = `${maps(ground())}?fieldSelector=metadata.name%3Dthere`;
    deepEqual(await firstEvents(client, path, 1), ['ADDED there']);
  });

  test('going out of a selection is DELETED, coming into it ADDED', async () => {
    const { client } = ground();
    const { body } = await client.get(maps(ground()));
    const path = `${maps(ground())}/moving`;
    await client.post(maps(ground()), configMap('moving', { metadata: { labels: { in: 'yes' } } }));
    await client.patch(path, 'merge', { metadata: { labels: { in: 'no' } } });
    await client.patch(path, 'merge', { metadata: { labels: { in: 'yes' } } });
    const query = `labelSelector=in%3Dyes&resourceVersion=${versionOf(body)}`;
    const events = await firstEvents(client, `${maps(ground())}?${query}`, 3);
    deepEqual(events, ['ADDED moving', 'DELETED moving', 'ADDED moving']);
  });

  test('a watch ends after its timeoutSeconds', async () => {
    const { client } = ground();
    const path = `${maps(ground())}?timeoutSeconds=1&fieldSelector=metadata.name%3Dnone`;
    for await (const { type } of client.watch(path, AbortSignal.timeout(10_000)))
      ok(type === 'BOOKMARK');
  });
}
