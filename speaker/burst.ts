/**
 * When a newly held address is announced, in milliseconds after it was taken. The first moves the
 * neighbours' caches; the next two make up for a lost frame before anybody notices; those from 1.1 s
 * on are for kernels that ignore a change within one second of the last (Linux `locktime`) and for
 * switches that learn slowly, as MetalLB found (1.1 s apart, for 5 s).
 */
export const burstOffsetsMs: readonly number[] = [0, 50, 200, 1100, 2200, 3300, 4400];

/**
 * Afterwards, now and then, for caches that nothing else would correct: once a minute, a fifth
 * earlier or later, so that addresses do not march in step.
 */
const refreshMs = { least: 48_000, most: 72_000 } as const;

/**
 * When the next announcement is due, after one at `nowMs`. Times that have passed meanwhile are
 * left out: a process that slept makes up for nothing.
 *
 * @param startMs when the address was taken
 * @param random from 0 to below 1
 */
export function nextDueMs(startMs: number, nowMs: number, random: () => number): number {
  const offsetMs = burstOffsetsMs.find((offset) => startMs + offset > nowMs);
  if (offsetMs !== undefined) return startMs + offsetMs;
  return nowMs + refreshMs.least + (refreshMs.most - refreshMs.least) * random();
}
