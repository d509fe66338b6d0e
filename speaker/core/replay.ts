/** The sequence numbers of one sender that were seen: the highest, and one bit for each of the 64 below it. */
export type SequenceWindow = { highest: bigint; seen: bigint };

const width = 64n;
const mask = (1n << width) - 1n;

export const openWindow = (sequence: bigint): SequenceWindow => ({ highest: sequence, seen: 1n });

/** Notes the sequence; false for one that was seen before or is too old to tell. */
export function isFresh(window: SequenceWindow, sequence: bigint): boolean {
  if (sequence > window.highest) {
    const step = sequence - window.highest;
    window.seen = step >= width ? 1n : ((window.seen << step) | 1n) & mask;
    window.highest = sequence;
    return true;
  }
  const age = window.highest - sequence;
  if (age >= width || (window.seen & (1n << age)) !== 0n) return false;
  window.seen |= 1n << age;
  return true;
}
