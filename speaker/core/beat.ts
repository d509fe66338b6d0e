/** How regularly the pulses of a peer come. */
export type Beat = {
  lastAtMs: number;
  /** Those that were due and have not come; what is late may come yet. */
  owed: number;
};

export const openBeat = (nowMs: number): Beat => ({ lastAtMs: nowMs, owed: 0 });

/**
 * Takes in a pulse. Returns how many before it are lost: they are given up when the next one comes on time, and those
 * that come in a bunch, because this node or the network stood still, are not.
 */
export function noteBeat(beat: Beat, intervalMs: number, nowMs: number): number {
  const missed = Math.round((nowMs - beat.lastAtMs) / intervalMs) - 1;
  beat.lastAtMs = nowMs;
  if (missed < 0) {
    beat.owed = Math.max(0, beat.owed - 1);
    return 0;
  }
  const lost = beat.owed;
  beat.owed = missed;
  return lost;
}
