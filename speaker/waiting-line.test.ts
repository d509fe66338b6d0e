import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../daemon/testing/fake-clock.ts';
import { WaitingLine } from './waiting-line.ts';

function open() {
  const clock = new FakeClock();
  const told: string[] = [];
  const stop = new AbortController();
  const line = new WaitingLine({
    ms: 100,
    clock,
    due: (key) => told.push(`${key} ${clock.nowMs()}`),
  });
  const running = line.run(stop.signal);
  return {
    clock,
    line,
    told,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

test('each key is due so long after it was added last, once', async () => {
  await using place = open();
  place.line.add('a');
  await place.clock.advance(40);
  place.line.add('b');
  await place.clock.advance(20);
  place.line.add('a');
  await place.clock.advance(1_000);
  assert.deepEqual(place.told, ['b 140', 'a 160']);
  place.line.add('a');
  await place.clock.advance(1_000);
  assert.deepEqual(place.told, ['b 140', 'a 160', 'a 1160']);
});

test('ten thousand keys wait for one timer', async () => {
  await using place = open();
  for (let key = 0; key < 10_000; key++) place.line.add(`${key}`);
  await place.clock.settle();
  assert.equal(place.clock.sleeping, 1);
  await place.clock.advance(100);
  assert.equal(place.told.length, 10_000);
});
