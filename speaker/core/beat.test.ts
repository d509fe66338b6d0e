import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noteBeat, openBeat } from './beat.ts';

/** How many of the pulses that came at these times, every 100 ms as a rule, were preceded by lost ones. */
function lostAmong(...timesMs: readonly number[]): number {
  const beat = openBeat(0);
  return timesMs.reduce((lost, atMs) => lost + noteBeat(beat, 100, atMs), 0);
}

test('pulses that come on time, or nearly so, are not lost', () => {
  assert.equal(lostAmong(100, 200, 300), 0);
  assert.equal(lostAmong(130, 190, 320, 401), 0);
  assert.equal(lostAmong(100, 260, 300, 400), 0);
});

test('pulses that never come are lost', () => {
  assert.equal(lostAmong(100, 300, 400), 1);
  assert.equal(lostAmong(100, 500, 600, 800, 900), 4);
});

test('pulses that come late and all at once are not lost', () => {
  assert.equal(lostAmong(100, 600, 600, 601, 601, 602, 700), 0);
  assert.equal(lostAmong(100, 600, 600, 601, 700), 2);
});
