import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../daemon/testing/fake-clock.ts';
import { Pace } from './pace.ts';

test('so many go at once after a rest, and the others one after the other', async () => {
  const clock = new FakeClock(10_000);
  const pace = new Pace({ perSecond: 10, atOnce: 3, clock });
  const wentAt: number[] = [];
  for (let one = 0; one < 6; one++)
    void pace.turn().then(() => wentAt.push(clock.nowMs() - 10_000));
  await clock.advance(1_000);
  assert.deepEqual(wentAt, [0, 0, 0, 100, 200, 300]);
  void pace.turn().then(() => wentAt.push(clock.nowMs() - 10_000));
  await clock.advance(0);
  assert.equal(wentAt.at(-1), 1_000);
});

test('who gives up waiting is told why', async () => {
  const clock = new FakeClock();
  const pace = new Pace({ perSecond: 1, atOnce: 1, clock });
  await pace.turn();
  const stop = new AbortController();
  const turn = pace.turn(stop.signal);
  const reason = new Error('enough');
  stop.abort(reason);
  await assert.rejects(turn, (error) => error === reason);
});
