import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from './until.ts';

test('the first answer that is neither false nor undefined ends the wait', async () => {
  let asked = 0;
  const answer = await until('it was asked three times', () => (++asked === 3 ? 0 : undefined));
  assert.equal(answer, 0);
});

test('giving up names what was waited for and what stood in the way', async () => {
  const never = () => assert.equal(1, 2, 'the pool is empty');
  await assert.rejects(
    until('the pool fills', never, { withinMs: 10 }),
    /^Error: waited 10 ms until the pool fills: the pool is empty/,
  );
  await assert.rejects(
    until('it holds', () => false, { withinMs: 10 }),
    /until it holds: it was/,
  );
});
