import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { FakeClock } from '../../daemon/testing/fake-clock.ts';
import { until } from '../../daemon/testing/until.ts';
import { Client, type Seen } from './contract-client.ts';
import { configMap, nameOf, versionOf } from './contract-ground.ts';
import { listAt, textAt } from './json.ts';
import { type ApiServerOptions, openApiServer } from './server.ts';

const maps = '/api/v1/namespaces/default/configmaps';

async function open(options: ApiServerOptions = {}) {
  const server = await openApiServer(options);
  const url = await server.listen();
  const client = new Client(url);
  return {
    server,
    client,
    url,
    create: (name: string) => client.post(maps, configMap(name)),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** Collects what a watch tells until it is stopped; `ended` says how it ended. */
function follow(client: Client, path: string) {
  const stop = new AbortController();
  const seen: Seen[] = [];
  const run = async (): Promise<string> => {
    try {
      for await (const event of client.watch(path, stop.signal)) seen.push(event);
      return 'ended';
    } catch {
      return stop.signal.aborted ? 'stopped' : 'broken';
    }
  };
  const ended = run();
  const names = () => seen.map(({ type, object }) => `${type} ${nameOf(object)}`);
  return { seen, names, ended, [Symbol.dispose]: () => stop.abort() };
}

test('who watches from before the compaction is told 410 in the stream', async () => {
  await using at = await open();
  const { body } = await at.create('old');
  await at.create('new');
  at.server.compact();
  using watch = follow(at.client, `${maps}?resourceVersion=${versionOf(body)}`);
  assert.equal(await watch.ended, 'ended');
  assert.equal(watch.seen[0]?.type, 'ERROR');
  assert.equal(watch.seen[0]?.object['code'], 410);
});

test('a compaction is answered 410 instead of told in the stream when it is put so', async () => {
  await using at = await open();
  using _fault = at.server.faults.answer({ code: 410, times: 1, match: { verb: 'watch' } });
  const { code, body } = await at.client.get(`${maps}?watch=true&resourceVersion=1`);
  assert.equal(code, 410);
  assert.equal(body['reason'], 'Expired');
});

test('a page of a list from before the compaction is refused with 410', async () => {
  await using at = await open();
  for (const name of ['a', 'b', 'c']) await at.create(name);
  const first = await at.client.get(`${maps}?limit=1`);
  await at.create('d');
  at.server.compact();
  const token = encodeURIComponent(textAt(first.body, 'metadata', 'continue'));
  assert.equal((await at.client.get(`${maps}?limit=1&continue=${token}`)).code, 410);
});

test('a collection remembers no more events than it may', async () => {
  await using at = await open({ eventLimit: 3 });
  const { body } = await at.create('first');
  for (const name of ['a', 'b', 'c']) await at.create(name);
  using whole = follow(at.client, `${maps}?resourceVersion=${versionOf(body)}`);
  await until('all three are told', () => whole.seen.length === 3);
  assert.deepEqual(whole.names(), ['ADDED a', 'ADDED b', 'ADDED c']);
  await at.create('d');
  using late = follow(at.client, `${maps}?resourceVersion=${versionOf(body)}`);
  await until('it is told to list again', () => late.seen.length === 1);
  assert.equal(late.seen[0]?.type, 'ERROR');
});

test('bookmarks come at their interval and carry the newest version', async () => {
  const clock = new FakeClock();
  await using at = await open({ clock, bookmarkMs: 1_000 });
  const { body } = await at.create('a');
  const path = `${maps}?allowWatchBookmarks=true&resourceVersion=${versionOf(body)}`;
  using watch = follow(at.client, path);
  await until('the watch waits', () => clock.sleeping === 1);
  const other = await at.client.post('/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'elsewhere' },
  });
  await clock.advance(1_000);
  await until('a bookmark has come', () => watch.seen.length === 1);
  assert.equal(watch.seen[0]?.type, 'BOOKMARK');
  assert.equal(versionOf(watch.seen[0]?.object ?? {}), versionOf(other.body));
});

test('a reset breaks open watches, and nothing is lost by watching on', async () => {
  await using at = await open();
  const { body } = await at.create('before');
  using watch = follow(at.client, `${maps}?resourceVersion=${versionOf(body)}`);
  await until('the watch is open', () => at.server.requests.count({ verb: 'watch' }) === 1);
  at.server.resetConnections();
  assert.equal(await watch.ended, 'broken');
  await at.create('during');
  using again = follow(at.client, `${maps}?resourceVersion=${versionOf(body)}`);
  await until('it is told', () => again.names().includes('ADDED during'));
});

test('a hanging server keeps its connections and says nothing until it comes to', async () => {
  await using at = await open();
  using watch = follow(at.client, `${maps}?resourceVersion=1`);
  await until('the watch is open', () => at.server.requests.count({ verb: 'watch' }) === 1);
  using hang = at.server.faults.hang();
  at.server.create({ ...configMap('unheard'), apiVersion: 'v1', kind: 'ConfigMap' });
  let answered = false;
  const asked = at.client.get(maps).then((reply) => {
    answered = true;
    return reply;
  });
  const lists = () => at.server.requests.count({ verb: 'list' });
  assert.equal(lists(), 0);
  // A second server on the same machine answers meanwhile: time enough for the first to have done so.
  await using other = await open();
  await other.client.get(maps);
  assert.equal(answered, false);
  assert.deepEqual(watch.names(), []);
  hang[Symbol.dispose]();
  assert.equal((await asked).code, 200);
  await until('the watch speaks again', () => watch.names().includes('ADDED unheard'));
});

test('the next requests are answered with an error, as many as asked', async () => {
  await using at = await open();
  using _fault = at.server.faults.answer({
    code: 503,
    times: 2,
    match: { verb: 'create', resource: 'configmaps' },
  });
  assert.equal((await at.client.get(maps)).code, 200);
  assert.equal((await at.create('a')).code, 503);
  assert.equal((await at.create('a')).code, 503);
  assert.equal((await at.create('a')).code, 201);
});

test('a request that is reset has not been served', async () => {
  await using at = await open();
  using _fault = at.server.faults.reset({ times: 1, match: { verb: 'create' } });
  await assert.rejects(at.create('a'));
  assert.equal(at.server.get('v1', 'ConfigMap', { namespace: 'default', name: 'a' }), undefined);
});

test('a server that was away comes back to the same place with all it had', async () => {
  await using at = await open();
  await at.create('kept');
  await at.server.goAway();
  await assert.rejects(at.client.get(maps));
  await at.server.comeBack();
  const { body } = await at.client.get(maps);
  assert.deepEqual(listAt(body, 'items').map(nameOf), ['kept']);
});

test('the request log tells writes that changed something from those that did not', async () => {
  await using at = await open();
  await at.create('a');
  await at.client.patch(`${maps}/a`, 'merge', { data: { x: '1' } });
  await at.client.patch(`${maps}/a`, 'merge', { data: { x: '1' } });
  const patches = { verb: 'patch', resource: 'configmaps' } as const;
  assert.equal(at.server.requests.count({ ...patches, changed: true }), 1);
  assert.equal(at.server.requests.count({ ...patches, changed: false }), 1);
});

test('the API server listens on a unix socket, too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'apiserver-'));
  try {
    await using server = await openApiServer();
    const socketPath = join(folder, 'api.sock');
    assert.equal(await server.listen({ socketPath }), `unix:${socketPath}`);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    request({ socketPath, path: '/readyz' }, (response) => {
      text(response).then(resolve, reject);
    }).end();
    assert.equal(await promise, 'ok');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('bytes that are no request, and bodies that are no object, harm nobody', async () => {
  await using at = await open();
  const { hostname, port } = new URL(at.url);
  const socket = createConnection(Number(port), hostname);
  socket.end('\x16\x03\x01 GET / \r\n\r\n');
  await text(socket);
  for (const body of ['', '{', 'null', '[]', '"a"', '{"__proto__":{"a":1}}', '{"metadata":7}']) {
    const response = await fetch(`${at.url}${maps}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    assert.equal(response.status, 400, body);
    await response.body?.cancel();
  }
  assert.equal((await at.client.get(maps)).code, 200);
  assert.equal((await at.client.get('/api/v1/namespaces/%zz/pods')).code, 404);
});

test('twenty watchers hear of two thousand Services, each in the same order', async () => {
  await using at = await open();
  const path = '/api/v1/services?resourceVersion=1';
  const watches = Array.from({ length: 20 }, () => follow(at.client, path));
  await until('all watch', () => at.server.requests.count({ verb: 'watch' }) === 20);
  for (let index = 0; index < 2_000; index++) {
    at.server.create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: `service-${index}`, namespace: 'default' },
      spec: { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ports: [{ port: 80 }] },
    });
  }
  await until('all have heard all', () => watches.every(({ seen }) => seen.length === 2_000), {
    withinMs: 20_000,
  });
  const expected = Array.from({ length: 2_000 }, (_, index) => `ADDED service-${index}`);
  for (const watch of watches) {
    assert.deepEqual(watch.names(), expected);
    watch[Symbol.dispose]();
  }
});
