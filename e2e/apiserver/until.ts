import { systemClock } from '../../daemon/clock.ts';

/** Waits until the predicate holds; throws, naming what was waited for, when it does not in time. */
export async function until(
  what: string,
  predicate: () => boolean | Promise<boolean>,
  waitMs = 10_000,
): Promise<void> {
  const end = systemClock.nowMs() + waitMs;
  while (!(await predicate())) {
    if (systemClock.nowMs() > end) throw new Error(`waited ${waitMs} ms in vain until ${what}`);
    await systemClock.sleep(5);
  }
}
