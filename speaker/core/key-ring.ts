/** A key that seals and opens what speakers say to each other. */
export type Key = Uint8Array;

/** The keys of one speaker: those it was given, and those it is still waiting for others to learn or to forget. */
export type KeyRing = {
  /** As the file has them now, each with when it came; the first is to seal. */
  readonly given: readonly { readonly key: Key; readonly sinceMs: number }[];
  /** Gone from the file, with when they are of no more use. */
  readonly retired: readonly { readonly key: Key; readonly untilMs: number }[];
};

/**
 * A changed Secret reaches the nodes one after the other: kubelets look once a minute and may read a cache of another
 * minute (`syncFrequency`, the TTL of the Secret cache), and the file is read every few seconds. A key seals only when
 * it has been known for longer than that, and one that is gone from the file opens for as long again.
 */
export const spreadMs = 180_000;

export const openKeyRing = (keys: readonly Key[], nowMs: number): KeyRing => ({
  // Of what is there at the start nobody knows how long it has been there; peers tell (`sealingKey`).
  given: keys.map((key) => ({ key, sinceMs: nowMs })),
  retired: [],
});

const isSame = (a: Key, b: Key): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);

/** The file has other keys now. */
export function adoptKeys(ring: KeyRing, keys: readonly Key[], nowMs: number): KeyRing {
  const given = keys.map((key) => ({
    key,
    sinceMs: ring.given.find((one) => isSame(one.key, key))?.sinceMs ?? nowMs,
  }));
  const gone = ring.given
    .filter(({ key }) => !keys.some((one) => isSame(one, key)))
    .map(({ key }) => ({ key, untilMs: nowMs + 2 * spreadMs }));
  const still = ring.retired.filter(
    ({ key, untilMs }) => nowMs < untilMs && !keys.some((one) => isSame(one, key)),
  );
  return { given, retired: [...gone, ...still] };
}

/** All that open, the likeliest first. */
export const openingKeys = ({ given, retired }: KeyRing, nowMs: number): readonly Key[] => [
  ...given.map(({ key }) => key),
  ...retired.filter(({ untilMs }) => nowMs < untilMs).map(({ key }) => key),
];

/**
 * The key to seal with: the first, once everybody knows it. Until then the one that peers seal with, because all who
 * talk now know that one; with nobody heard there is nobody who would not understand the first.
 *
 * @param heard the key that opened the last frame of a peer
 */
export function sealingKey(ring: KeyRing, heard: Key | undefined, nowMs: number): Key | undefined {
  const [first] = ring.given;
  if (first === undefined) return undefined;
  if (heard === undefined || isSame(heard, first.key) || nowMs >= first.sinceMs + spreadMs) {
    return first.key;
  }
  return heard;
}
