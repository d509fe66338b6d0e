import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { explain } from '../daemon/log.ts';
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

const openssl = spawnSync('openssl', ['version']).status === 0;

test(
  'only a server the authority vouches for is spoken to, also after both were renewed',
  { skip: openssl ? false : 'needs openssl to make certificates' },
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
