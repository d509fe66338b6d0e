/**
 * How long to wait before the next attempt, after `failures` of them in a row (from 1 on): exponential from
 * `firstMs` up to `mostMs`, with full jitter, so that many clients of one server that came back do not return as
 * one wave. `random` gives numbers in [0, 1).
 */
export function backoffMs(
  failures: number,
  random: () => number,
  { firstMs = 200, mostMs = 30_000 }: { firstMs?: number; mostMs?: number } = {},
): number {
  return random() * Math.min(mostMs, firstMs * 2 ** Math.min(failures - 1, 30));
}
