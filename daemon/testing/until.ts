import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../clock.ts';
import { explain } from '../log.ts';

type UntilOptions = {
  readonly withinMs?: number;
  readonly everyMs?: number;
  readonly signal?: AbortSignal;
};

/**
 * Asks again and again until the answer is neither `false` nor `undefined`, and returns that answer. A predicate
 * that throws has not come true yet. Fails with what was waited for and the last thing that stood in the way.
 */
export async function until<T>(
  description: string,
  predicate: () => T | Promise<T>,
  { withinMs = 10_000, everyMs = 5, signal }: UntilOptions = {},
): Promise<Exclude<T, false | undefined>> {
  const endMs = systemClock.nowMs() + withinMs;
  for (;;) {
    signal?.throwIfAborted();
    let last: string;
    try {
      const answer = await predicate();
      if (isAnswer(answer)) return answer;
      last = `it was still ${String(answer)}`;
    } catch (error) {
      last = explain(error);
    }
    if (systemClock.nowMs() >= endMs)
      throw new Error(`waited ${withinMs} ms until ${description}: ${last}`);
    await wait(everyMs, undefined, signal === undefined ? {} : { signal });
  }
}

function isAnswer<T>(answer: T): answer is Exclude<T, false | undefined> {
  return answer !== false && answer !== undefined;
}
