import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { explain } from '../daemon/log.ts';
import { until } from '../daemon/testing/until.ts';
import { Deadline } from './deadline.ts';
import { openTransport, type Call } from './transport.ts';

const get: Call = { method: 'GET', path: '/things' };

/** A certificate of its own authority for 127.0.0.1, in `<name>.crt` and `<name>.key`. */
function makeCertificate(dir: string, name: string): { cert: Buffer; key: Buffer } {
  const [certFile, keyFile] = [join(dir, `${name}.crt`), join(dir, `${name}.key`)];
  const args =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 ' +
    `-subj /CN=${name} -addext subjectAltName=IP:127.0.0.1 -keyout ${keyFile} -out ${certFile}`;
  const made = spawnSync('openssl', args.split(' '), { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  return { cert: readFileSync(certFile), key: readFileSync(keyFile) };
}

/** A server with a certificate, which notes what it is asked, and a transport that trusts it. */
async function openStage() {
  const dir = mkdtempSync(join(tmpdir(), 'tls-'));
  const stage = { asked: new Array<string>(), hangs: false };
  const server = https.createServer(makeCertificate(dir, 'stage'), (request, response) => {
    stage.asked.push(String(request.method));
    if (!stage.hangs) response.end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const access = { server: `https://127.0.0.1:${port}`, caFile: join(dir, 'stage.crt') };
  const transport = openTransport(access);
  const close = async () => {
    transport.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    rmSync(dir, { recursive: true });
  };
  return Object.assign(stage, { port, access, server, transport, [Symbol.asyncDispose]: close });
}

const openssl = spawnSync('openssl', ['version']).status === 0;

const needsOpenssl = { skip: openssl ? false : 'needs openssl to make certificates' };

test(
  'a permission that ends while the connection is made lets nothing out',
  needsOpenssl,
  async () => {
    await using stage = await openStage();
    let nowMs = 0;
    // As after SIGCONT: time has passed, and no timer had its turn.
    const sleep = () => Promise.withResolvers<void>().promise;
    const clock = { nowMs: () => nowMs, wall: () => new Date(0), sleep };
    using permission = new Deadline(clock, 1_000, () => new Error('the lease has run out'));
    stage.server.once('connection', () => (nowMs = 2_000));
    const write = { ...get, method: 'PATCH', body: {} } as const;
    await assert.rejects(stage.transport.call(write, permission.signal), /the lease has run out/);
    assert.deepEqual(await stage.transport.call(get), {});
    assert.deepEqual(stage.asked, ['GET']);
  },
);

test(
  'a write that is broken off is taken back: its connection is reset',
  needsOpenssl,
  async () => {
    await using stage = await openStage();
    stage.hangs = true;
    const ends: string[] = [];
    const relay = createServer((near) => {
      const far = connect(stage.port, '127.0.0.1');
      near.on('error', (error: NodeJS.ErrnoException) => ends.push(String(error.code)));
      near.on('end', () => ends.push('FIN'));
      near.on('close', () => far.destroy());
      far.on('error', () => {});
      near.pipe(far).pipe(near);
    });
    relay.listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const { port } = relay.address() as AddressInfo;
    const transport = openTransport({ ...stage.access, server: `https://127.0.0.1:${port}` });
    const stop = new AbortController();
    const writing = transport.call({ ...get, method: 'PATCH', body: {} }, stop.signal);
    await until('it was asked', () => stage.asked.length === 1);
    stop.abort(new Error('no longer'));
    await assert.rejects(writing, /no longer/);
    await until('the connection is gone', () => ends.length > 0);
    assert.deepEqual(ends, ['ECONNRESET']);
    relay.close();
  },
);

test('breaking off at any moment leaves the transport in order', needsOpenssl, async () => {
  await using stage = await openStage();
  const call = { ...get, method: 'PATCH', body: { text: 'x'.repeat(50_000) } } as const;
  for (let round = 0; round < 40; round++) {
    const stop = new AbortController();
    const calls = Array.from({ length: 8 }, () => stage.transport.call(call, stop.signal));
    // From before the connection is made to after the answer has come.
    for (let turn = 0; turn < round; turn++) await setImmediate();
    stop.abort(new Error('no longer'));
    for (const outcome of await Promise.allSettled(calls))
      if (outcome.status === 'rejected') assert.match(String(outcome.reason), /no longer/);
  }
  assert.deepEqual(await stage.transport.call(get), {});
});

test(
  'only a server the authority vouches for is spoken to, also after both were renewed',
  needsOpenssl,
  async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'tls-'));
    const [first, second] = [makeCertificate(dir, 'first'), makeCertificate(dir, 'second')];
    const server = https.createServer(first, (_request, response) => response.end('{}'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const caFile = join(dir, 'ca.crt');
    copyFileSync(join(dir, 'first.crt'), caFile);
    const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const transport = openTransport({ server: address, caFile });
    t.after(() => {
      transport.close();
      server.close();
      server.closeAllConnections();
      rmSync(dir, { recursive: true });
    });
    assert.deepEqual(await transport.call(get), {});

    server.setSecureContext(second);
    server.closeAllConnections();
    const untrusted = (error: unknown) => /self-signed certificate/.test(explain(error));
    await assert.rejects(transport.call(get), untrusted);
    await assert.rejects(transport.call(get), untrusted);

    copyFileSync(join(dir, 'second.crt'), caFile);
    assert.deepEqual(await transport.call(get), {});
  },
);
