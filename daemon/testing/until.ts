import { setTimeout as wait } from 'node:timers/promises';
import { explain } from '../log.ts';

/**
 * Asks again and again until the answer is neither `false` nor `undefined`, and returns that answer. A predicate
 * that throws has not come true yet. Fails with what was waited for and the last thing that stood in the way.
 */
export async function until<T>(
  description: string,
  predicate: () => T | Promise<T>,
  { timeoutMs = 5_000, everyMs = 5 }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<Exclude<T, false | undefined>> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    let last: string;
    try {
      const answer = await predicate();
      if (isAnswer(answer)) return answer;
      last = `it was still ${String(answer)}`;
    } catch (error) {
      last = explain(error);
    }
    if (performance.now() >= endMs)
      throw new Error(`waited ${timeoutMs} ms until ${description}: ${last}`);
    await wait(everyMs);
  }
}

function isAnswer<T>(answer: T): answer is Exclude<T, false | undefined> {
  return answer !== false && answer !== undefined;
}
