import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../daemon/clock.ts';
import { explain, type Log } from '../daemon/log.ts';
import { type PulseKeys, readPulseKeys } from './pulse-keys.ts';

/** A kubelet brings a changed Secret within a minute or two; ten seconds more are not noticed. */
const lookEveryMs = 10_000;

/**
 * Tells of other keys in the file. One that cannot be read, or makes no sense, changes nothing: the keys that are known
 * go on, and the log says once why.
 */
export async function watchKeys(
  {
    path,
    onKeys,
    clock,
    log,
  }: {
    readonly path: string;
    readonly onKeys: (keys: PulseKeys) => void;
    readonly clock: Clock;
    readonly log: Log;
  },
  signal: AbortSignal,
): Promise<void> {
  let known = readPulseKeys(path);
  let told: string | undefined;
  for (;;) {
    await clock.sleep(lookEveryMs, signal);
    const read = tryRead(path);
    if (read.keys === undefined) {
      if (read.reason !== told)
        log.warn('the pulse keys stay as they are', { reason: read.reason });
      told = read.reason;
      continue;
    }
    told = undefined;
    if (isDeepStrictEqual(read.keys, known)) continue;
    known = read.keys;
    log.info('the pulse keys have changed', { keys: known.length });
    onKeys(known);
  }
}

function tryRead(path: string): { readonly keys: PulseKeys } | { keys: undefined; reason: string } {
  try {
    return { keys: readPulseKeys(path) };
  } catch (error) {
    return { keys: undefined, reason: explain(error) };
  }
}
