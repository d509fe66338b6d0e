import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { burstOffsetsMs, nextDueMs } from './burst.ts';

const dueTimes = (count: number, random: () => number): number[] => {
  const times = [0];
  while (times.length < count) times.push(nextDueMs(0, times.at(-1) ?? 0, random));
  return times;
};

describe('the burst of announcements', () => {
  it('comes at 0, 50, 200 ms, 1.1, 2.2, 3.3 and 4.4 s', () => {
    assert.deepEqual(
      dueTimes(7, () => 0),
      [0, 50, 200, 1100, 2200, 3300, 4400],
    );
    assert.deepEqual(
      dueTimes(7, () => 0),
      burstOffsetsMs,
    );
  });

  it('is followed by a refresh about every minute, up to a fifth earlier or later', () => {
    assert.deepEqual(dueTimes(9, () => 0).slice(7), [4400 + 48_000, 4400 + 96_000]);
    assert.deepEqual(dueTimes(9, () => 0.5).slice(7), [4400 + 60_000, 4400 + 120_000]);
    assert.equal(
      nextDueMs(0, 4400, () => 1),
      4400 + 72_000,
    );
  });

  it('makes up for nothing after a sleep', () => {
    assert.equal(
      nextDueMs(0, 2_500, () => 0.5),
      3_300,
    );
    assert.equal(
      nextDueMs(0, 1_000_000, () => 0.5),
      1_060_000,
    );
  });
});
