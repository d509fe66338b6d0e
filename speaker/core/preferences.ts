import { canTake, healthOf } from './contest.ts';
import type { Candidate } from './rank.ts';
import { claimsOf, newMove, type Segment } from './segment.ts';
import { preferenceHoldMs, unansweredOnceMs } from './timing.ts';
import { isDoubted } from './unheard.ts';

/**
 * Addresses go back to a node that the plan prefers only when it has been there for a while: each move is planned and
 * loses nothing, but one that goes up and down must not take its addresses along each time.
 */
export function planPreferred(segment: Segment, nowMs: number): void {
  const { phase, hushedSinceMs } = segment;
  if (nowMs < segment.preferencesDueAtMs || phase !== 'active' || hushedSinceMs !== undefined)
    return;
  segment.preferencesDueAtMs = Infinity;
  if (segment.health === 'sick') return planRelief(segment);
  const ripeAtMs = new Map<readonly Candidate[], number>();
  for (const { address } of claimsOf(segment, segment.node)) {
    const candidates = segment.candidates.get(address) ?? [];
    const atMs = ripeAtMs.get(candidates) ?? preferredAtMs(segment, candidates);
    ripeAtMs.set(candidates, atMs);
    if (nowMs < atMs) segment.preferencesDueAtMs = Math.min(segment.preferencesDueAtMs, atMs);
    else if (!isDoubted(segment, address) && !segment.moves.has(address)) {
      segment.moves.set(address, newMove('Preferred'));
    }
  }
}

/**
 * A sick node hands over what well ones can take, at once. Where nobody is well, as when the gateway itself is dead, all
 * stays where it is.
 */
function planRelief(segment: Segment): void {
  const relieved = new Map<readonly Candidate[], boolean>();
  for (const { address } of claimsOf(segment, segment.node)) {
    const candidates = segment.candidates.get(address) ?? [];
    const relief = relieved.get(candidates) ?? candidates.some(({ node }) => isFit(segment, node));
    relieved.set(candidates, relief);
    if (relief && !segment.moves.has(address)) segment.moves.set(address, newMove('Sick'));
  }
}

const isFit = (segment: Segment, node: string): boolean =>
  canTake(segment, node) && healthOf(segment, node) === 'well';

/** When the first node that is strictly preferred to this one has been there for long enough; Infinity for none. */
function preferredAtMs(segment: Segment, candidates: readonly Candidate[]): number {
  const own = candidates.find(({ node }) => node === segment.node);
  if (own === undefined || candidates.every(({ score }) => score <= own.score)) return Infinity;
  const ripe = candidates
    .filter(({ score }) => score > own.score)
    .map(({ node }) => ripeFromMs(segment, node));
  return Math.min(...ripe);
}

const ripeFromMs = (segment: Segment, node: string): number =>
  canTake(segment, node)
    ? (segment.peers.get(node)?.activeSinceMs ?? Infinity) + preferenceHoldMs
    : Infinity;

/** Whether the node may be given the address because it is preferred: strictly, and for long enough. */
export function isPreferred(
  segment: Segment,
  address: string,
  { node, score }: Candidate,
  nowMs: number,
): boolean {
  const own = segment.candidates.get(address)?.find((one) => one.node === segment.node);
  if (own === undefined || score <= own.score || wasSilent(segment, address, node, nowMs))
    return false;
  return nowMs >= ripeFromMs(segment, node);
}

/** Whether this node took the address from that one, which did not answer, not long ago. */
function wasSilent(segment: Segment, address: string, node: string, nowMs: number): boolean {
  const taken = segment.unanswered.get(address);
  return taken?.from === node && nowMs < taken.atMs + unansweredOnceMs;
}
