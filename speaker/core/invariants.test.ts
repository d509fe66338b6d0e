import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawSchedule, runSchedule } from '../testing/schedule.ts';

const schedules = 300;

test(`no schedule of ${schedules} leaves two holders on one segment, or an address without one`, () => {
  for (let seed = 1; seed <= schedules; seed++) {
    const schedule = drawSchedule(seed);
    const { violations } = runSchedule(schedule);
    assert.deepEqual(violations, [], `seed ${seed}: ${JSON.stringify(schedule, undefined, 1)}`);
  }
});

test('a schedule runs the same way twice', () => {
  for (const seed of [3, 14, 159]) {
    const schedule = drawSchedule(seed);
    assert.equal(runSchedule(schedule).trace, runSchedule(schedule).trace);
  }
});
