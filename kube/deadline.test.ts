import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { FakeClock } from '../daemon/testing/fake-clock.ts';
import { anyOf, Deadline } from './deadline.ts';

const expired = () => new Error('time is up');

test('a signal made of a deadline is over when that is, before any timer had its turn', () => {
  let nowMs = 0;
  const sleep = () => Promise.withResolvers<void>().promise;
  const clock = { nowMs: () => nowMs, wall: () => new Date(0), sleep };
  using deadline = new Deadline(clock, 1_000, expired);
  const either = anyOf(deadline.signal, new AbortController().signal);
  assert.equal(either.aborted, false);
  nowMs = 1_000;
  assert.throws(() => either.throwIfAborted(), /time is up/);
});

test('a signal made of several tells who listens, with the reason of the first', async () => {
  const clock = new FakeClock();
  using deadline = new Deadline(clock, 1_000, expired);
  const stop = new AbortController();
  const either = anyOf(deadline.signal, stop.signal);
  const heard: unknown[] = [];
  either.addEventListener('abort', () => heard.push(either.reason));
  const reason = new Error('the end');
  stop.abort(reason);
  await clock.advance(2_000);
  assert.deepEqual(heard, [reason]);
});

test('a deadline that is over holds on to no signal that lives longer', () => {
  const lasting = new AbortController();
  for (let term = 0; term < 3; term++) {
    using deadline = new Deadline(new FakeClock(), 1_000, expired);
    anyOf(deadline.signal, lasting.signal);
    assert.equal(getEventListeners(lasting.signal, 'abort').length, 1);
    deadline.end(new Error('given back'));
  }
  assert.equal(getEventListeners(lasting.signal, 'abort').length, 0);
});
