import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../daemon/clock.ts';
import { run } from '../lab/command.ts';
import { clockShift, clockStep } from './clock-shift-flags.ts';

test('a program sees the wall clock shifted, and monotonic time as it is', async () => {
  const says = `console.log(JSON.stringify([Date.now(), new Date().getTime(), Number(process.hrtime.bigint() / 1000000n), new Date(5).getTime()]))`;
  const hourMs = 3_600_000;
  for (const shiftMs of [hourMs, -hourMs]) {
    const said = await run(process.execPath, [...clockShift(shiftMs), '--eval', says]);
    const [now = 0, made = 0, monotonic = 0, fixed] = JSON.parse(said) as number[];
    const isNear = (a: number, b: number) => assert.ok(Math.abs(a - b) < 20_000, `${a} and ${b}`);
    isNear(now, systemClock.wall().getTime() + shiftMs);
    isNear(made, now);
    isNear(monotonic, systemClock.nowMs());
    assert.equal(fixed, 5);
  }
});

test('a clock is stepped when the signal comes', async () => {
  const says = `const before = Date.now(); process.kill(process.pid, 'SIGUSR2'); setTimeout(() => console.log(Date.now() - before), 50)`;
  const hourMs = 3_600_000;
  const said = await run(process.execPath, [...clockStep(hourMs, 'SIGUSR2'), '--eval', says]);
  assert.ok(Math.abs(Number(said) - hourMs) < 20_000, said);
});
