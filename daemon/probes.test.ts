import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { explain } from './log.ts';
import { Metrics } from './metrics.ts';
import { openProbes } from './probes.ts';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const host = '127.0.0.1';
const flag = '--probe-port';

test('health and metrics are told over HTTP, with the reason where a check fails', async () => {
  let stale: string | undefined = 'no list of Services yet';
  const metrics = new Metrics({ process: false });
  metrics.gauge({ name: 'held', help: 'Addresses held.' }).set(5);
  await using probes = await openProbes({
    port: await freePort(),
    flag,
    host,
    metrics,
    live: { wire: () => undefined },
    ready: { links: () => undefined, plan: () => stale },
  });
  const get = async (path: string, method = 'GET') => {
    const response = await fetch(`http://${host}:${probes.port}${path}`, { method });
    return [response.status, await response.text()];
  };
  assert.deepEqual(await get('/livez'), [200, '[+] wire ok\nok\n']);
  assert.deepEqual(await get('/readyz?verbose'), [
    503,
    '[+] links ok\n[-] plan failed: no list of Services yet\nnot ok\n',
  ]);
  stale = undefined;
  assert.equal((await get('/readyz'))[0], 200);
  assert.match(String((await get('/metrics'))[1]), /^held 5$/m);
  assert.equal((await get('/secrets'))[0], 404);
  assert.equal((await get('/livez', 'POST'))[0], 405);
});

test('on port 0 nothing is served', async () => {
  await using probes = await openProbes({ port: 0, flag });
  assert.equal(probes.port, 0);
});

test('a port that is taken is named with the setting it came from', async () => {
  const port = await freePort();
  await using _first = await openProbes({ port, flag, host });
  await assert.rejects(openProbes({ port, flag, host }), (error) => {
    assert.match(
      explain(error),
      new RegExp(`^cannot listen on port ${port} \\(--probe-port\\): .*`),
    );
    return true;
  });
});

test('closing twice does no harm', async () => {
  const probes = await openProbes({ port: await freePort(), flag, host });
  await probes.close();
  await probes.close();
});
