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
  sleep: (ms, signal) => wait(ms, undefined, signal === undefined ? {} : { signal }),
};
