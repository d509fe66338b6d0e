import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { blackoutMs } from './blackout.ts';

test('the blackout reaches from the last reply before the event to the first one after', () => {
  const replies = [2, 4, 6, 8, 310, 312];
  assert.equal(blackoutMs(replies, { fromMs: 0, eventMs: 9, untilMs: 313 }), 302);
});

test('a gap that ended before the event does not count', () => {
  const replies = [2, 90, 92, 94, 100, 102];
  assert.equal(blackoutMs(replies, { fromMs: 0, eventMs: 95, untilMs: 103 }), 6);
});

test('a second gap after the recovery counts when it is the longer one', () => {
  const replies = [2, 4, 50, 52, 400, 402];
  assert.equal(blackoutMs(replies, { fromMs: 0, eventMs: 5, untilMs: 403 }), 348);
});

test('without any reply after the event the blackout lasts until the end', () => {
  assert.equal(blackoutMs([2, 4], { fromMs: 0, eventMs: 5, untilMs: 1000 }), 996);
  assert.equal(blackoutMs([], { fromMs: 0, eventMs: 5, untilMs: 1000 }), 1000);
});

test('more replies never make a blackout longer, and it is never longer than the whole time', () => {
  const times = fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 40 });
  fc.assert(
    fc.property(times, times, fc.integer({ min: 0, max: 1000 }), (some, others, eventMs) => {
      const around = { fromMs: 0, eventMs, untilMs: 1000 };
      const ordered = (replies: number[]) => replies.toSorted((a, b) => a - b);
      const few = blackoutMs(ordered(some), around);
      const many = blackoutMs(ordered([...some, ...others]), around);
      assert.ok(many <= few);
      assert.ok(few <= 1000);
    }),
  );
});
