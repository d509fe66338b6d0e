import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counted } from './counted.ts';
import { ApiError, type Transport } from './transport.ts';

test('every call is told of by how it ended, and ends as it did', async () => {
  const ends: Record<string, () => unknown> = {
    '/there': () => 'it',
    '/missing': () => {
      throw new ApiError(404, 'NotFound', 'no such thing');
    },
    '/away': () => {
      throw new Error('the connection was reset');
    },
  };
  const transport: Transport = {
    // The stub answers whatever is asked for.
    call: async <T>({ path }: { path: string }) => ends[path]?.() as T,
    async *lines() {},
    close: () => {},
  };
  const told: string[] = [];
  const calls = counted(transport, (method, outcome) => told.push(`${method} ${outcome}`));
  assert.equal(await calls.call({ method: 'GET', path: '/there' }), 'it');
  await assert.rejects(calls.call({ method: 'PATCH', path: '/missing' }), ApiError);
  await assert.rejects(calls.call({ method: 'DELETE', path: '/away' }), /reset/);
  assert.deepEqual(told, ['GET Answered', 'PATCH Refused', 'DELETE Failed']);
});
