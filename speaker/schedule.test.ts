import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { Schedule } from './schedule.ts';

const drain = <T>(schedule: Schedule<T>, nowMs: number): T[] => {
  const items: T[] = [];
  for (let item = schedule.take(nowMs); item !== undefined; item = schedule.take(nowMs))
    items.push(item);
  return items;
};

describe('a schedule', () => {
  it('gives what is due, the earliest first, and each once', () => {
    const schedule = new Schedule<string>();
    for (const [item, dueMs] of [
      ['c', 30],
      ['a', 10],
      ['b', 20],
    ] as const)
      schedule.set(item, dueMs);
    assert.equal(schedule.nextMs(), 10);
    assert.deepEqual(drain(schedule, 20), ['a', 'b']);
    assert.deepEqual(drain(schedule, 29), []);
    assert.deepEqual(drain(schedule, 30), ['c']);
    assert.equal(schedule.nextMs(), Infinity);
  });

  it('agrees with a plain list, whatever is set, moved, removed and taken', () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('set' as const),
        item: fc.nat({ max: 20 }),
        dueMs: fc.nat({ max: 50 }),
      }),
      fc.record({ kind: fc.constant('delete' as const), item: fc.nat({ max: 20 }) }),
      fc.record({ kind: fc.constant('take' as const), nowMs: fc.nat({ max: 50 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
        const schedule = new Schedule<number>();
        const list = new Map<number, number>();
        for (const step of steps) {
          if (step.kind === 'set') {
            schedule.set(step.item, step.dueMs);
            list.set(step.item, step.dueMs);
          } else if (step.kind === 'delete') {
            schedule.delete(step.item);
            list.delete(step.item);
          } else {
            const earliest = Math.min(...list.values());
            const taken = schedule.take(step.nowMs);
            if (earliest > step.nowMs) assert.equal(taken, undefined);
            else assert.equal(taken === undefined ? undefined : list.get(taken), earliest);
            if (taken !== undefined) list.delete(taken);
          }
          assert.equal(schedule.nextMs(), Math.min(...list.values()));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('goes through 10,000 items in order', () => {
    const schedule = new Schedule<number>();
    for (let index = 0; index < 10_000; index++) schedule.set(index, (index * 7919) % 10_000);
    const order = drain(schedule, Infinity).map((index) => (index * 7919) % 10_000);
    assert.deepEqual(order, [...order.keys()]);
  });
});
