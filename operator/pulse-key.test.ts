import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Log, silentLog } from '../daemon/log.ts';
import { ApiError, type Call, type Transport } from '../kube/transport.ts';
import { providePulseKey } from './pulse-key.ts';

const randomBytes = (count: number): Uint8Array => new Uint8Array(count).fill(0xab);

/** An API server that keeps what it is given, or refuses it. */
function serverThat(refuses?: { code: number; reason: string }) {
  const kept: Call[] = [];
  const transport: Transport = {
    call(call) {
      if (refuses !== undefined)
        return Promise.reject(new ApiError(refuses.code, refuses.reason, 'refused'));
      kept.push(call);
      return Promise.resolve(undefined as never);
    },
    lines: () => assert.fail('nothing is watched'),
    close() {},
  };
  return { kept, transport };
}

const provide = (transport: Transport, log: Log = silentLog) =>
  providePulseKey({ transport, namespace: 'metallb-system', randomBytes, log });

test('where there is no pulse key yet, one of 32 random bytes is made', async () => {
  const { kept, transport } = serverThat();
  await provide(transport);
  const [{ path, body } = assert.fail('nothing was written')] = kept;
  assert.equal(path, '/api/v1/namespaces/metallb-system/secrets');
  const { metadata, data } = body as { metadata: unknown; data: Record<string, string> };
  assert.deepEqual(metadata, { name: 'mercurylb-pulse-key', namespace: 'metallb-system' });
  assert.equal(Buffer.from(data['keys'] ?? '', 'base64').toString(), `${'ab'.repeat(32)}\n`);
});

test('a key that somebody has made is left alone', async () => {
  await provide(serverThat({ code: 409, reason: 'AlreadyExists' }).transport);
});

test('an operator that may not make the key says so, and goes on', async () => {
  const said: string[] = [];
  const log = { ...silentLog, warn: (message: string) => void said.push(message) };
  await provide(serverThat({ code: 403, reason: 'Forbidden' }).transport, log);
  assert.deepEqual(said, ['may not make the key of the pulses']);
});

test('a server that is away is tried again by who asked', async () => {
  const { transport } = serverThat({ code: 503, reason: 'ServiceUnavailable' });
  await assert.rejects(provide(transport), /making the key of the pulses/);
});
