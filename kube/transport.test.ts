import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { explain } from '../daemon/log.ts';
import { FakeClock } from '../daemon/testing/fake-clock.ts';
import { until } from '../daemon/testing/until.ts';
import type { Access } from './access.ts';
import { object } from './testing/build.ts';
import { Proxy } from './testing/proxy.ts';
import { answerJson, hang, refuse, reset, StubServer, type Answer } from './testing/stub-server.ts';
import { ApiError, openTransport, type Call } from './transport.ts';

const get: Call = { method: 'GET', path: '/things' };
const fine: Answer = (_request, response) => answerJson(response, 200, { fine: true });

async function opened(
  t: TestContext,
  more: Partial<Access> = {},
  options?: Parameters<typeof openTransport>[1],
) {
  const server = await StubServer.open();
  const transport = openTransport({ server: server.url, ...more }, options);
  t.after(async () => {
    transport.close();
    await server[Symbol.asyncDispose]();
  });
  return { server, transport };
}

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'transport-'));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

test('a call sends its query and JSON body and returns the parsed answer', async (t) => {
  const { server, transport } = await opened(t);
  server.next((request, response, body) => {
    const { method, url, headers } = request;
    answerJson(response, 201, { method, url, type: headers['content-type'], body });
  });
  const answer = await transport.call({
    method: 'PATCH',
    path: '/things/a',
    query: { force: true, fieldManager: 'me & you', dryRun: undefined },
    body: { name: 'ä' },
    contentType: 'application/merge-patch+json',
  });
  assert.deepEqual(answer, {
    method: 'PATCH',
    url: '/things/a?force=true&fieldManager=me+%26+you',
    type: 'application/merge-patch+json',
    body: '{"name":"ä"}',
  });
});

test('a path in the server address comes before the path of the API', async (t) => {
  const { server } = await opened(t);
  const transport = openTransport({ server: `${server.url}/clusters/a/` });
  t.after(() => transport.close());
  await transport.call(get);
  assert.deepEqual(server.asked, ['GET /clusters/a/things']);
});

test('an API server at an IPv6 address is reached', async (t) => {
  const { createServer } = await import('node:http');
  const server = createServer((_request, response) => response.end('{}'));
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '::1', resolve));
  const address = server.address();
  assert(address !== null && typeof address === 'object');
  const transport = openTransport({ server: `http://[::1]:${address.port}` });
  t.after(() => transport.close());
  assert.deepEqual(await transport.call(get), {});
});

test('hundreds of calls share a bounded number of connections', async (t) => {
  const { server } = await opened(t);
  const proxy = await Proxy.open(server.port);
  const transport = openTransport({ server: proxy.url }, { maxSockets: 4 });
  t.after(async () => {
    transport.close();
    await proxy[Symbol.asyncDispose]();
  });
  await Promise.all(Array.from({ length: 200 }, () => transport.call(get)));
  assert(proxy.connections <= 4, `${proxy.connections} connections`);
});

test('a refusal carries the code, reason and message of the Status object', async (t) => {
  const { server, transport } = await opened(t);
  server.next(refuse(409, 'Conflict', 'the object has been modified'));
  await assert.rejects(transport.call({ method: 'PUT', path: '/things/a', body: {} }), (error) => {
    assert(error instanceof ApiError);
    assert.equal(error.code, 409);
    assert.equal(error.reason, 'Conflict');
    assert.equal(error.message, 'PUT /things/a: 409 Conflict: the object has been modified');
    return true;
  });
});

test('a refusal that is not from Kubernetes still has a code and a reason', async (t) => {
  const { server, transport } = await opened(t);
  for (const body of ['<html>bad gateway</html>', '[]', 'null', '']) {
    server.next((_request, response) => response.writeHead(502).end(body));
    await assert.rejects(transport.call(get), {
      name: 'ApiError',
      code: 502,
      reason: 'BadGateway',
    });
  }
});

test('an answer that is not JSON is an error showing how it begins', async (t) => {
  const { server, transport } = await opened(t);
  server.next((_request, response) => response.end('<html>welcome to the hotel</html>'));
  await assert.rejects(transport.call(get), (error) =>
    /GET \/things on http.*expected JSON, got "<html>welcome/.test(explain(error)),
  );
});

test('an empty answer is undefined', async (t) => {
  const { server, transport } = await opened(t);
  server.next((_request, response) => response.writeHead(204).end());
  assert.equal(await transport.call({ method: 'DELETE', path: '/things/a' }), undefined);
});

test('an answer beyond all measure is cut off', async (t) => {
  const { server, transport } = await opened(t, {}, { maxAnswerBytes: 1_000 });
  server.next((_request, response) => response.end('x'.repeat(100_000)));
  await assert.rejects(transport.call(get), (error) => /longer than 1000 b/.test(explain(error)));
});

test('a failure names what was asked of whom, and why it failed', async (t) => {
  const { server, transport } = await opened(t);
  server.next(reset);
  await assert.rejects(transport.call({ method: 'POST', path: '/things', body: {} }), (error) => {
    const said = explain(error);
    assert(said.startsWith(`POST /things on ${server.url}: `), said);
    assert.match(said, /ECONNRESET|socket hang up/);
    return true;
  });
  const nobody = openTransport({ server: 'http://127.0.0.1:1' });
  await assert.rejects(nobody.call(get), (error) => /1: connect ECONNREFUSED/.test(explain(error)));
});

test('a server that never answers, or stops in the middle, is given up in time', async (t) => {
  const { server, transport } = await opened(t);
  server.next(hang, (_request, response) => response.writeHead(200).write('{"half":'));
  for (let i = 0; i < 2; i++) {
    await assert.rejects(transport.call({ ...get, timeoutMs: 30 }), (error) =>
      /no answer within 30 ms/.test(explain(error)),
    );
  }
  assert.deepEqual(await transport.call(get), await transport.call(get), 'it goes on working');
});

test('an aborted call ends with the reason of its signal', async (t) => {
  const { server, transport } = await opened(t);
  const stop = new AbortController();
  const reason = new Error('shutting down');
  server.next(hang);
  const call = transport.call(get, stop.signal);
  await until('the server was asked', () => server.asked.length === 1);
  stop.abort(reason);
  await assert.rejects(call, (error) => error === reason);
  await assert.rejects(transport.call(get, stop.signal), (error) => error === reason);
  assert.equal(server.asked.length, 1, 'an aborted signal sends nothing');
});

test('closing ends what is under way, twice without harm, and refuses what comes after', async (t) => {
  const { server, transport } = await opened(t);
  server.next(hang);
  const call = transport.call(get);
  await until('the server was asked', () => server.asked.length === 1);
  transport.close();
  transport.close();
  await assert.rejects(call, (error) => /transport was closed/.test(explain(error)));
  await assert.rejects(transport.call(get), (error) => /transport was closed/.test(explain(error)));
});

test('a read survives that its kept connection had been closed meanwhile', async (t) => {
  const { server, transport } = await opened(t);
  server.next(fine, reset);
  await transport.call(get);
  assert.deepEqual(await transport.call(get), await transport.call(get));
  assert.equal(server.asked.length, 4, 'one of three was sent twice');
});

test('one silent connection empties the pool of those that share its way', async (t) => {
  const { server } = await opened(t);
  const proxy = await Proxy.open(server.port);
  const transport = openTransport({ server: proxy.url });
  t.after(async () => {
    transport.close();
    await proxy[Symbol.asyncDispose]();
  });
  await Promise.all(Array.from({ length: 5 }, () => transport.call(get)));
  proxy.freeze();
  await assert.rejects(transport.call({ ...get, timeoutMs: 30 }));
  await transport.call({ ...get, timeoutMs: 1_000 });
});

test('the token is read again every minute', async (t) => {
  const tokenFile = join(folder(t), 'token');
  const clock = new FakeClock();
  writeFileSync(tokenFile, 'first\n');
  const { server, transport } = await opened(t, { tokenFile }, { clock });
  const seen: unknown[] = [];
  const note: Answer = (request, response) => {
    seen.push(request.headers.authorization);
    response.end('{}');
  };
  server.next(note, note, note);
  await transport.call(get);
  writeFileSync(tokenFile, 'second\n');
  await transport.call(get);
  await clock.advance(60_000);
  await transport.call(get);
  assert.deepEqual(seen, ['Bearer first', 'Bearer first', 'Bearer second']);
});

test('a 401 reads the token again at once, and only a second one is an error', async (t) => {
  const tokenFile = join(folder(t), 'token');
  writeFileSync(tokenFile, 'old');
  const { server, transport } = await opened(t, { tokenFile });
  await transport.call(get);
  writeFileSync(tokenFile, 'new');
  const onlyNew: Answer = (request, response, body) =>
    (request.headers.authorization === 'Bearer new' ? fine : refuse(401, 'Unauthorized'))(
      request,
      response,
      body,
    );
  server.next(onlyNew, onlyNew);
  assert.deepEqual(await transport.call(get), { fine: true });
  server.next(refuse(401, 'Unauthorized'), refuse(401, 'Unauthorized'), fine);
  await assert.rejects(transport.call(get), { code: 401 });
  assert.deepEqual(await transport.call(get), { fine: true });
});

test('a missing token file is named', async (t) => {
  const { transport } = await opened(t, { tokenFile: '/nowhere/token' });
  await assert.rejects(transport.call(get), (error) => /\/nowhere\/token/.test(explain(error)));
});

test('headers of a login are asked for before every call', async (t) => {
  let asked = 0;
  const { server, transport } = await opened(t, {
    headers: async () => ({ authorization: `Bearer ${++asked}` }),
  });
  const echo: Answer = (request, response) =>
    answerJson(response, 200, request.headers.authorization);
  server.next(echo, echo);
  assert.equal(await transport.call(get), 'Bearer 1');
  assert.equal(await transport.call(get), 'Bearer 2');
});

test('a server address that is none is refused at once', () => {
  for (const server of ['', 'kubernetes', 'ftp://a', '198.51.100.1:6443'])
    assert.throws(() => openTransport({ server }), /is not an API server: write https/);
});

test('the lines of a watch arrive as they are sent', async (t) => {
  const { server, transport } = await opened(t);
  server.put(object('v1', 'Thing', 'käse'));
  const lines = transport.lines({ ...get, query: { watch: true, resourceVersion: 10 } }, 5_000);
  const names = [];
  for await (const line of lines) {
    names.push((line as { object: { metadata: { name: string } } }).object.metadata.name);
    if (names.length === 2) break;
    server.put(object('v1', 'Thing', 'second'));
  }
  assert.deepEqual(names, ['käse', 'second']);
  await until('the watch was given up', () => server.watching === 0);
});

const watch: Call = { ...get, query: { watch: true } };

/** The one line that arrives, then what the next read says. */
async function brokenBy(t: TestContext, fault: (server: StubServer, proxy: Proxy) => void) {
  const { server } = await opened(t);
  const proxy = await Proxy.open(server.port);
  const transport = openTransport({ server: proxy.url }, { maxLineBytes: 1_000 });
  t.after(async () => {
    transport.close();
    await proxy[Symbol.asyncDispose]();
  });
  const lines = transport.lines(watch, 60)[Symbol.asyncIterator]();
  const first = lines.next();
  await until('it watches', () => server.watching === 1);
  server.send({ first: true });
  assert.deepEqual((await first).value, { first: true });
  fault(server, proxy);
  return lines.next();
}

test('a watch that ends properly ends', async (t) => {
  assert.equal((await brokenBy(t, (server) => server.endWatches())).done, true);
});

for (const [fault, act, expected] of [
  ['is reset', (server) => server.resetWatches(), /aborted|ECONNRESET/],
  [
    'goes silent with its connection open',
    (_server, proxy) => proxy.freeze(),
    /nothing came for 60/,
  ],
  ['stays connected and says nothing', () => {}, /nothing came for 60 ms/],
  ['sends a line that never ends', (server) => server.send('x'.repeat(2_000)), /longer than 1000/],
  ['sends what is not JSON', (server) => server.send('oops\n'), /expected JSON, got "oops"/],
  [
    'ends inside a line',
    (server) => {
      server.send('{"type":"ADD');
      server.endWatches();
    },
    /ended 12 bytes into a line/,
  ],
] satisfies [string, (server: StubServer, proxy: Proxy) => void, RegExp][]) {
  test(`a watch that ${fault} ends in an error`, async (t) => {
    await assert.rejects(brokenBy(t, act), (error) => expected.test(explain(error)));
  });
}

test('an aborted watch ends with the reason of its signal, and its connection with it', async (t) => {
  const { server, transport } = await opened(t);
  const stop = new AbortController();
  const reason = new Error('shutting down');
  const next = transport.lines(watch, 60_000, stop.signal)[Symbol.asyncIterator]().next();
  await until('it watches', () => server.watching === 1);
  stop.abort(reason);
  await assert.rejects(next, (error) => error === reason);
  await until('the server is rid of it', () => server.watching === 0);
});

test('a refused watch is an ApiError like any other', async (t) => {
  const { server, transport } = await opened(t);
  server.next(refuse(410, 'Expired'));
  const lines = transport.lines(watch, 1_000)[Symbol.asyncIterator]();
  await assert.rejects(lines.next(), { name: 'ApiError', code: 410, reason: 'Expired' });
});
