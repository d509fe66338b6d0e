import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { systemClock } from '../../daemon/clock.ts';
import { until } from '../../daemon/testing/until.ts';
import { FaultyRelay } from './relay.ts';

/** A client and a server with a relay between them. */
async function openStage() {
  const heard: string[] = [];
  const ends: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('data', (bytes) => heard.push(String(bytes)));
    socket.on('end', () => ends.push('FIN'));
    socket.on('error', () => ends.push('RST'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const relay = await FaultyRelay.open({ host: '127.0.0.1', target: { host: '127.0.0.1', port } });
  const dial = async () => {
    const client = connect(relay.port, '127.0.0.1');
    client.on('error', () => {});
    await once(client, 'connect');
    return client;
  };
  const close = async () => {
    await relay[Symbol.asyncDispose]();
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  return { relay, heard, ends, sockets, dial, [Symbol.asyncDispose]: close };
}

describe('a faulty relay', () => {
  test('passes bytes and ends in clear weather, and forgets what is over', async () => {
    await using stage = await openStage();
    const client = await stage.dial();
    client.end('hello');
    await until('it is heard', () => stage.heard.join('') === 'hello' && stage.ends.length > 0);
    assert.deepEqual(stage.ends, ['FIN']);
    await until('the line is forgotten', () => stage.relay.connections === 0);
  });

  test('holds what is sent, and delivers it when it clears up', async () => {
    await using stage = await openStage();
    const [before] = [await stage.dial()];
    before.write('a');
    await until('a is heard', () => stage.heard.length === 1);
    stage.relay.change({ kind: 'held' });
    before.write('b');
    before.end();
    const during = await stage.dial();
    during.write('c');
    await until('all of it waits', () => stage.relay.waiting === 3);
    assert.deepEqual(stage.heard, ['a']);
    stage.relay.change({ kind: 'clear' });
    await until('all is heard', () => stage.heard.toSorted().join('') === 'abc');
    during.destroy();
  });

  test('does not deliver what was taken back by a reset while it was held', async () => {
    await using stage = await openStage();
    const client = await stage.dial();
    client.write('a');
    await until('a is heard', () => stage.heard.length === 1);
    stage.relay.change({ kind: 'held' });
    client.write('b');
    await until('it waits', () => stage.relay.waiting === 1);
    client.resetAndDestroy();
    await until('it is taken back', () => stage.relay.waiting === 0);
    assert.deepEqual(stage.ends, [], 'not even the reset has arrived');
    stage.relay.change({ kind: 'clear' });
    await until('the reset arrives', () => stage.ends.length > 0);
    assert.deepEqual([stage.heard, stage.ends], [['a'], ['RST']]);
  });

  test('tears answers in the middle', async () => {
    await using stage = await openStage();
    const client = await stage.dial();
    let answer = '';
    client.on('data', (bytes) => (answer += String(bytes)));
    client.write('?');
    await until('it is asked', () => stage.heard.length === 1);
    stage.relay.change({ kind: 'torn', afterBytes: 3 });
    stage.sockets[0]?.write('answer');
    await until('it is torn', () => client.destroyed);
    assert.ok('ans'.startsWith(answer), answer);
  });

  test('refuses new connections, and slows old ones down', async () => {
    await using stage = await openStage();
    const client = await stage.dial();
    client.write('a');
    await until('a is heard', () => stage.heard.length === 1);
    stage.relay.change({ kind: 'refused' });
    const late = connect(stage.relay.port, '127.0.0.1');
    await assert.rejects(once(late, 'end'), /ECONNRESET/);
    stage.relay.change({ kind: 'slow', delayMs: 50 });
    const startMs = systemClock.nowMs();
    client.write('b');
    await until('b is heard', () => stage.heard.length === 2);
    assert.ok(systemClock.nowMs() - startMs >= 50);
    client.destroy();
  });
});
