import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { until } from '../../daemon/testing/until.ts';
import { formatAddress, parseAddress } from '../../net/address.ts';
import { DatagramSocket } from './datagram-socket.ts';

const needsLinux = process.platform === 'linux' ? {} : { skip: 'the socket is one of Linux' };

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp6');
  socket.bind(0, '::');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

function address(text: string) {
  const parsed = parseAddress(text);
  assert.ok(parsed !== undefined);
  return parsed;
}

test(
  'a datagram arrives with the address of its sender, in both families',
  needsLinux,
  async () => {
    using socket = new DatagramSocket(await freePort());
    assert.equal(socket.receive(), undefined);
    for (const loopback of ['127.0.0.1', '::1']) {
      const bytes = Uint8Array.of(1, 2, 3);
      socket.send(bytes, address(loopback));
      const heard = await until(`a datagram from ${loopback}`, () => socket.receive());
      assert.equal(formatAddress(heard.from), loopback);
      assert.deepEqual(heard.bytes, bytes);
    }
  },
);

test('a datagram that nothing can carry is lost, and no error', needsLinux, async () => {
  using socket = new DatagramSocket(await freePort());
  socket.send(Uint8Array.of(1), address('0.0.0.0'));
  socket.send(new Uint8Array(70_000), address('127.0.0.1'));
});

test('a port that is taken is told', needsLinux, async () => {
  const port = await freePort();
  using _ = new DatagramSocket(port);
  assert.throws(() => new DatagramSocket(port), new RegExp(`UDP port ${port}.*EADDRINUSE`));
});
