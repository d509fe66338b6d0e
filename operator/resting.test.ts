import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Resting } from './resting.ts';
import { address } from './testing/town.ts';

const one = address('198.51.100.1');
const two = address('2001:db8::2');

test('a rest ends at its time, in the order in which the rests began', () => {
  const resting = new Resting();
  resting.add(one, 10);
  resting.add(two, 20);
  assert.deepEqual(resting.wake(9), []);
  assert.deepEqual(resting.wake(10), [one]);
  assert.equal(resting.has(one), false);
  assert.equal(resting.has(two), true);
  assert.deepEqual(resting.wake(30), [two]);
  assert.deepEqual(resting.wake(40), []);
});

test('one that was taken out of its rest is not woken by the end of that', () => {
  const resting = new Resting();
  resting.add(one, 10);
  resting.delete(one);
  resting.add(one, 20);
  assert.deepEqual(resting.wake(10), []);
  assert.equal(resting.has(one), true);
  assert.deepEqual(resting.wake(20), [one]);
});
