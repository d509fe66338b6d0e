import { get } from 'node:http';
import type { Clock } from '../daemon/clock.ts';
import { type Course, follow, unchecked } from './core/health.ts';
import type { Diagnosis } from './orders.ts';
import { checkEveryMs, checkTimeoutMs } from './core/timing.ts';

/** What one question came to; `unknown`: this process could not ask, which says nothing of whom it asks. */
type Result = {
  readonly kind: 'passed' | 'failed' | 'unknown';
  readonly detail: string | undefined;
};

/**
 * Asks every second whether this node's kube-proxy is well: it answers 200, or 503 when it has not brought what changed
 * into the kernel for a minute, and at `/healthz` also when its node is about to be deleted (KEP-3836). `onChange`
 * is called when that changes what is known.
 */
export async function checkKubeProxy(
  {
    url,
    onChange,
    clock,
  }: {
    readonly url: string;
    readonly onChange: (diagnosis: Diagnosis) => void;
    readonly clock: Clock;
  },
  signal: AbortSignal,
): Promise<void> {
  let course: Course = unchecked;
  while (!signal.aborted) {
    const startMs = clock.nowMs();
    const result = await ask(url);
    const before = course.health;
    if (result.kind !== 'unknown') course = follow(course, result.kind === 'passed', clock.nowMs());
    if (course.health !== before) onChange({ health: course.health, detail: result.detail });
    await clock.sleep(Math.max(0, startMs + checkEveryMs - clock.nowMs()), signal);
  }
}

/** This process, or its machine, has run out of something. */
const ownTroubles: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS']);

function ask(url: string): Promise<Result> {
  const { promise, resolve } = Promise.withResolvers<Result>();
  // A connection of its own for each question: one that was left over says nothing of whether a new one succeeds.
  const request = get(url, { agent: false }, (response) => {
    response.resume();
    if (response.statusCode === 200) resolve({ kind: 'passed', detail: undefined });
    else resolve({ kind: 'failed', detail: `it answers ${response.statusCode}` });
  });
  const tooLate = new Error(`no answer within ${checkTimeoutMs} ms`);
  const late = setTimeout(() => request.destroy(tooLate), checkTimeoutMs);
  request.on('close', () => clearTimeout(late));
  request.on('error', (error: NodeJS.ErrnoException) => {
    const kind = ownTroubles.has(error.code ?? '') ? 'unknown' : 'failed';
    resolve({ kind, detail: error.message });
  });
  return promise;
}
