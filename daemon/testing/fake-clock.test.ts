import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../clock.ts';
import { FakeClock } from './fake-clock.ts';

test('sleepers wake in the order they are due, each at its own time', async () => {
  const clock = new FakeClock();
  const woken: string[] = [];
  const sleep = async (name: string, ms: number) => {
    await clock.sleep(ms);
    woken.push(`${name} at ${clock.nowMs()}`);
  };
  void sleep('late', 30);
  void sleep('early', 10).then(() => sleep('again', 15));
  await clock.advance(29);
  assert.deepEqual(woken, ['early at 10', 'again at 25']);
  await clock.advance(1);
  assert.deepEqual(woken, ['early at 10', 'again at 25', 'late at 30']);
});

test('nothing runs while time leaps', async () => {
  const clock = new FakeClock();
  let wokenAt: number | undefined;
  void clock.sleep(10).then(() => (wokenAt = clock.nowMs()));
  await clock.leap(1_000);
  assert.equal(wokenAt, 1_000);
});

for (const [name, clock] of Object.entries({ fake: new FakeClock(), system: systemClock })) {
  test(`the ${name} clock ends a sleep with the reason of its signal`, async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    const slept = clock.sleep(60_000, stop.signal);
    stop.abort(reason);
    await assert.rejects(slept, (error) => error === reason);
    await assert.rejects(clock.sleep(1, stop.signal), (error) => error === reason);
  });
}
