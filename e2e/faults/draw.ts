export type Draw = (limit: number) => number;

/** The same numbers below `limit` again and again for a seed: a linear congruential generator (Knuth). */
export function drawFrom(seed: number): Draw {
  let state = BigInt(seed);
  return (limit) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
    return Number((state >> 33n) % BigInt(limit));
  };
}

/** The same in another order. */
export const shuffled = <T>(items: readonly T[], draw: Draw): readonly T[] =>
  items
    .map((item) => ({ item, place: draw(2 ** 31) }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item);
