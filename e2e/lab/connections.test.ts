import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Connection, lossesOf } from './connections.ts';

const answered = (fromMs: number): Connection => ({ fromMs, tookMs: 4 });
const failing = (fromMs: number, code: string): Connection => ({
  ...answered(fromMs),
  failure: `connect ${code}`,
  code,
});
const reset = (fromMs: number): Connection => failing(fromMs, 'ECONNRESET');

test('a connection under way at one moment was cut', () => {
  const [first, second] = [reset(10), reset(12)];
  const losses = lossesOf([answered(0), first, second, answered(20)]);
  assert.deepEqual(losses, { cut: [first, second], failed: [] });
});

test('no move excuses what fails at two moments', () => {
  assert.deepEqual(lossesOf([reset(10), answered(20), reset(30)]).failed, [
    'connect ECONNRESET',
    'connect ECONNRESET',
  ]);
});

test('no move excuses a connection that was never established', () => {
  const cut = reset(10);
  assert.deepEqual(lossesOf([cut, failing(10, 'ECONNREFUSED')]), {
    cut: [cut],
    failed: ['connect ECONNREFUSED'],
  });
});

test('nothing is lost where all are answered', () => {
  assert.deepEqual(lossesOf([answered(0), answered(10)]), { cut: [], failed: [] });
});
