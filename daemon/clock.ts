import { setTimeout as wait } from 'node:timers/promises';

/** Where time comes from. `nowMs` never jumps; `wall` is for people and for objects. */
export type Clock = {
  nowMs(): number;
  wall(): Date;
  /** Resolves after `ms`; rejects with the signal's reason when that is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
};

export const systemClock: Clock = {
  nowMs: () => Number(process.hrtime.bigint()) / 1e6,
  wall: () => new Date(),
  sleep: async (ms, signal) => {
    try {
      await wait(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      // The timer's own AbortError says less than the reason it was aborted for.
      signal?.throwIfAborted();
      throw error;
    }
  },
};
