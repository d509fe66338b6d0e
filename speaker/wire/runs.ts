/** Numbers from `first` to `last`, both included. */
export type Run = { readonly first: number; readonly last: number };

/** The fewest runs that hold exactly these numbers, ascending. */
export function runsOf(numbers: readonly number[]): readonly Run[] {
  const runs: Run[] = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run === undefined || number > run.last + 1) runs.push({ first: number, last: number });
    else runs[runs.length - 1] = { first: run.first, last: number };
  }
  return runs;
}

/** The gaps between runs, each named by the index of the run above it, the narrowest first. */
export function narrowestGaps(runs: readonly Run[]): readonly number[] {
  const width = (index: number): number => (runs[index]?.first ?? 0) - (runs[index - 1]?.last ?? 0);
  return Array.from({ length: Math.max(runs.length - 1, 0) }, (_, index) => index + 1).toSorted(
    (a, b) => width(a) - width(b) || a - b,
  );
}

/** At most `most` runs that hold all of these: the first of `gaps` are closed. */
export function coarsen(
  runs: readonly Run[],
  gaps: readonly number[],
  most: number,
): readonly Run[] {
  const closed = new Set(gaps.slice(0, Math.max(runs.length - most, 0)));
  const joined: Run[] = [];
  for (const [index, run] of runs.entries()) {
    const before = joined.at(-1);
    if (before === undefined || !closed.has(index)) joined.push(run);
    else joined[joined.length - 1] = { first: before.first, last: run.last };
  }
  return joined;
}
