export type Percentiles = {
  readonly min: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
};

/**
 * The p-th percentile by nearest rank: the smallest sample that at least p % of all samples do not
 * exceed. Always a sample that was measured, never an average of two; of ten samples the p99 is
 * the worst one.
 */
export function percentile(samples: readonly number[], p: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const rank = Math.max(1, Math.ceil((p / 100) * sorted.length));
  const sample = sorted[rank - 1];
  if (sample === undefined)
    throw new Error(`there is no ${p}th percentile of ${samples.length} samples`);
  return sample;
}

export function percentilesOf(samples: readonly number[]): Percentiles {
  return {
    min: percentile(samples, 0),
    p50: percentile(samples, 50),
    p99: percentile(samples, 99),
    max: percentile(samples, 100),
  };
}
