import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../daemon/clock.ts';
import { explain } from '../../daemon/log.ts';

export type UntilOptions = {
  readonly withinMs?: number;
  readonly everyMs?: number;
  readonly signal?: AbortSignal;
};

/**
 * Asks again and again until the answer is neither undefined nor false, and hands that answer back.
 * An attempt that throws counts as "not yet"; after `withinMs` it throws, saying what was waited for
 * and what the last attempt said.
 */
export async function until<T>(
  description: string,
  attempt: () => Promise<T | undefined | false> | T | undefined | false,
  { withinMs = 10_000, everyMs = 20, signal }: UntilOptions = {},
): Promise<T> {
  const deadlineMs = systemClock.nowMs() + withinMs;
  let lastError: unknown;
  for (;;) {
    signal?.throwIfAborted();
    try {
      const answer = await attempt();
      if (answer !== undefined && answer !== false) return answer;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (systemClock.nowMs() > deadlineMs) {
      const last = lastError === undefined ? '' : ` (the last attempt: ${explain(lastError)})`;
      throw new Error(`waited ${withinMs / 1000} s in vain until ${description}${last}`);
    }
    await wait(everyMs, undefined, signal === undefined ? {} : { signal });
  }
}
