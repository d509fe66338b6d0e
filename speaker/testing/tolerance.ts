/** What a wire makes unavoidable. */
export type Tolerated = {
  /** How long a claim takes to arrive, and the pulse that leads to one. */
  readonly exchangeMs: number;
  readonly pulseMs: number;
  /** How long those that do not hear each other's frames take to find each other. */
  readonly rediscoveryMs: number;
  /** Frames are lost: what must be quick or never happen is judged on clean wires only. */
  readonly lossy: boolean;
  /** Some nodes never hear each other at all. */
  readonly apart: boolean;
};

/** When nothing arrives. */
export type Muted = { readonly fromMs: number; readonly untilMs: number };

/** How long nodes that can hear each other again take to know it. */
export const findingMs = ({ pulseMs, rediscoveryMs }: Tolerated): number => pulseMs + rediscoveryMs;

/**
 * For how long two may hold an address since then. Those that could not hear each other until now find out with the next
 * pulse, even when one of them hands over in between; any others at once.
 */
export function toleratedMs(
  tolerated: Tolerated,
  {
    reconnectedAtMs,
    muted,
  }: { readonly reconnectedAtMs: readonly number[]; readonly muted: Muted },
  sinceMs: number,
): number {
  const { fromMs, untilMs } = muted;
  // What was lost on the way cannot have told anybody anything.
  const healed = reconnectedAtMs.some((atMs) => {
    const lostMs = Math.max(0, Math.min(sinceMs, untilMs) - Math.max(atMs, fromMs));
    return Math.abs(sinceMs - atMs) - lostMs <= findingMs(tolerated);
  });
  const mutedMs = untilMs > sinceMs ? untilMs - sinceMs + tolerated.pulseMs : 0;
  return (healed ? findingMs(tolerated) : 0) + mutedMs + tolerated.exchangeMs;
}
