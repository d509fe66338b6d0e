import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newest } from './newest.ts';

const at = (resourceVersion: string, uid = 'u') => ({
  metadata: { name: 'a', uid, resourceVersion },
});

test('our own write wins over an older state that the watch still has', () => {
  assert.deepEqual(newest(at('9'), at('10')), at('10'));
  assert.deepEqual(newest(at('11'), at('10')), at('11'));
  assert.deepEqual(newest(at('10'), at('10')), at('10'));
});

test('a write to an object that is gone, or that another has replaced, counts no more', () => {
  assert.equal(newest(undefined, at('10')), undefined);
  assert.deepEqual(newest(at('5', 'new'), at('10', 'old')), at('5', 'new'));
});

test('versions that are no numbers are taken as read', () => {
  assert.deepEqual(newest(at('abc'), at('abd')), at('abc'));
});
