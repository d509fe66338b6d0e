import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openRelay } from './relay.ts';

describe('relay', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mercurylb-relay-'));
  const path = join(folder, 'socket');
  let server: Server;
  before(async () => {
    server = createServer((_request, response) => response.end('through'));
    server.listen(path);
    await once(server, 'listening');
  });
  after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });

  test('a request to the port is answered from behind the socket', async () => {
    await using relay = await openRelay(path);
    const answer = await fetch(`http://127.0.0.1:${relay.port}/`);
    assert.equal(await answer.text(), 'through');
  });

  test('a server that is away refuses, and the relay goes on', async () => {
    await using relay = await openRelay(join(folder, 'nobody'));
    const ask = () => fetch(`http://127.0.0.1:${relay.port}/`);
    await assert.rejects(ask);
    await assert.rejects(ask);
  });

  test('closing ends kept connections, and closing twice is no fault', async () => {
    const relay = await openRelay(path);
    await (await fetch(`http://127.0.0.1:${relay.port}/`)).text();
    await relay[Symbol.asyncDispose]();
    await relay[Symbol.asyncDispose]();
    await assert.rejects(fetch(`http://127.0.0.1:${relay.port}/`));
  });
});
