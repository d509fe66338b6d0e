import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { brokenCores } from '../testing/broken-cores.ts';
import { play } from '../testing/play.ts';
import { drawSchedule, type Schedule } from '../testing/schedule.ts';
import { explain, firstFailure } from '../testing/verdict.ts';

const schedules = 2000;
/** So many have to be enough to catch a core that lacks one rule. */
const budget = 400;

test(`none of ${schedules} schedules breaks an invariant`, () => {
  const failure = firstFailure({ from: 1, count: schedules });
  assert.ok(failure === undefined, failure && explain(failure));
});

test('the schedules reach from two nodes to two hundred, and to ten thousand addresses', () => {
  const drawn = Array.from({ length: schedules }, (_, index) => drawSchedule(index + 1));
  const most = (of: 'nodes' | 'addresses' | 'links') => Math.max(...drawn.map((one) => one[of]));
  assert.ok(most('nodes') > 100 && most('nodes') <= 200, `${most('nodes')} nodes`);
  assert.ok(most('addresses') > 9000, `${most('addresses')} addresses`);
  assert.equal(most('links'), 3);
  const small = drawn.filter(({ nodes, addresses }) => nodes <= 6 && addresses <= 12);
  assert.ok(small.length > schedules * 0.8, `${small.length} small ones`);
});

test('a schedule runs the same way twice', () => {
  for (const seed of [3, 14, 159]) {
    const schedule = drawSchedule(seed);
    assert.equal(play(schedule).digest, play(schedule).digest);
  }
});

describe(`${budget} schedules catch a core in which`, () => {
  for (const [rule, core] of Object.entries(brokenCores)) {
    test(rule, () => {
      assert.ok(firstFailure({ from: 1, count: budget }, core) !== undefined);
    });
  }
});

test('a violation is told with its seed, a schedule that is no longer than needed, and what happened', () => {
  const core = brokenCores['a better claim is ignored'];
  const failure = firstFailure({ from: 1, count: budget }, core);
  assert.ok(failure !== undefined);
  const told = explain(failure, core);
  assert.ok(told.startsWith(`seed ${failure.seed} breaks ${failure.violation.rule}`), told);
  const schedule = /shrunk to: (\{.*?\n\})/s.exec(told)?.[1];
  const { nodes, addresses, faults }: Schedule = JSON.parse(schedule ?? '');
  assert.ok(nodes <= 3 && addresses === 1, schedule);
  assert.ok(faults.length <= 1, schedule);
  assert.match(told, /VIOLATION/);
});
