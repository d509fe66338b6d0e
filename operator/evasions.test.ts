import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evasionMinutes, Evasions, mostEvasions } from './evasions.ts';

const minuteMs = 60_000;

test('a Service goes out of the way a few times, and then stays until the first of them is long ago', () => {
  const evasions = new Evasions();
  for (let index = 0; index < mostEvasions; index++) {
    assert.equal(evasions.waitMs('default/a', index * minuteMs), 0);
    evasions.note('default/a', index * minuteMs);
  }
  const nowMs = mostEvasions * minuteMs;
  const waitMs = (evasionMinutes - mostEvasions) * minuteMs;
  assert.equal(evasions.waitMs('default/a', nowMs), waitMs);
  assert.equal(evasions.waitMs('default/b', nowMs), 0);
  assert.equal(evasions.waitMs('default/a', nowMs + waitMs - 1), 1);
  assert.equal(evasions.waitMs('default/a', nowMs + waitMs), 0);
});

test('a Service that is gone is forgotten', () => {
  const evasions = new Evasions();
  for (let index = 0; index < mostEvasions; index++) evasions.note('default/a', 0);
  evasions.forget('default/a');
  assert.equal(evasions.waitMs('default/a', 0), 0);
});
