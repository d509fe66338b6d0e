/**
 * Which sequence numbers of one sender were seen: the highest, and a ring with one bit for each of those below it
 * (RFC 6479 §2). As wide as it is because ten thousand claims come in a burst of 250 frames, and not all in order.
 */
export type SequenceWindow = { highest: bigint; readonly seen: Uint32Array };

const words = 64;
const bits = BigInt(words * 32);
/** The word that the newest bits go into is emptied as a whole, so one word less can be told. */
export const windowWidth = bits - 32n;

export function openWindow(sequence: bigint): SequenceWindow {
  const window = { highest: sequence, seen: new Uint32Array(words) };
  mark(window, sequence);
  return window;
}

/** Notes the sequence; false for one that was seen before or is too old to tell. */
export function isFresh(window: SequenceWindow, sequence: bigint): boolean {
  if (sequence > window.highest) {
    empty(window, sequence);
    window.highest = sequence;
    mark(window, sequence);
    return true;
  }
  if (window.highest - sequence >= windowWidth) return false;
  const { word, bit } = placeOf(sequence);
  if (((window.seen[word] ?? 0) & bit) !== 0) return false;
  mark(window, sequence);
  return true;
}

/** Forgets what the words between the highest so far and the new one stood for. */
function empty({ highest, seen }: SequenceWindow, sequence: bigint): void {
  const before = highest / 32n;
  const steps = sequence / 32n - before;
  if (steps >= BigInt(words)) seen.fill(0);
  else {
    for (let step = 1n; step <= steps; step++) seen[Number((before + step) % BigInt(words))] = 0;
  }
}

function mark({ seen }: SequenceWindow, sequence: bigint): void {
  const { word, bit } = placeOf(sequence);
  seen[word] = (seen[word] ?? 0) | bit;
}

function placeOf(sequence: bigint): { readonly word: number; readonly bit: number } {
  const place = Number(sequence % bits);
  return { word: place >>> 5, bit: 1 << (place & 31) };
}
