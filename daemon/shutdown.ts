import { constants } from 'node:os';

const signals = ['SIGTERM', 'SIGINT'] as const;

/** Why a process ends on request. Whatever was under way then fails with this, which is no failure. */
class Shutdown extends Error {
  constructor(signal: string) {
    super(`${signal} was received`);
    this.name = 'Shutdown';
  }
}

/**
 * Turns SIGTERM and SIGINT into one AbortSignal. Who sends a second one does not want to wait: the process ends
 * at once, with 128 plus the number of the signal as shells count.
 */
export function shutdownSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of signals) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(128 + constants.signals[signal]);
      controller.abort(new Shutdown(signal));
    });
  }
  return controller.signal;
}

/** Whether an error is only the echo of a shutdown, as it comes back from something that was waiting. */
export function isShutdown(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof Shutdown) return true;
  return false;
}
