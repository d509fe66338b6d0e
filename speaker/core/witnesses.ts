import type { Action, Unanswered } from './action.ts';
import { claim, tellClaims } from './claims.ts';
import { canTake, healthOf } from './contest.ts';
import { isSick } from './health.ts';
import { type Candidate, type Contender, firstOf, groundOf, runnerOf } from './rank.ts';
import { isCandidate, type Segment } from './segment.ts';
import { unansweredOnceMs } from './timing.ts';
import { isDoubted } from './unheard.ts';

/**
 * Pulses say that a holder lives, not that it answers: a switch may drop ARP, a filter on the node may, and a kernel beside
 * may answer, too. So another node asks on the wire, as a client does. Each address has one witness, the same in the eyes
 * of all: whoever would be first, by lot, if its holder were not there; where no other may hold it, any other.
 */
export function witnesses(segment: Segment): (address: string) => string | undefined {
  const runners = [segment.node, ...segment.peers.keys()]
    .filter((node) => canTake(segment, node))
    .map((node) => runnerOf(node, 0));
  const fields = new Map<readonly Candidate[], readonly Contender[]>();
  const contendersOf = (candidates: readonly Candidate[]): readonly Contender[] => {
    const known = fields.get(candidates);
    if (known !== undefined) return known;
    const may = new Set(candidates.map(({ node }) => node));
    const field = runners.map((runner) => ({
      score: may.has(runner.node) ? 1 : 0,
      isSick: isSick(healthOf(segment, runner.node)),
      runner,
    }));
    fields.set(candidates, field);
    return field;
  };
  return (address) => {
    const holder = segment.claims.get(address)?.holder;
    const candidates = segment.candidates.get(address);
    if (holder === undefined || candidates === undefined) return undefined;
    const others = contendersOf(candidates).filter(({ runner }) => runner.node !== holder);
    return firstOf(others, groundOf(address))?.runner.node;
  };
}

/** Takes over an address whose holder does not answer, if that is still its holder and this node may hold it. */
export function takeUnanswered(
  segment: Segment,
  { address, holder, term }: Unanswered,
  nowMs: number,
): Action[] {
  const known = segment.claims.get(address);
  const isCurrent = known?.holder === holder && known.term === term && holder !== segment.node;
  const may = canTake(segment, segment.node) && isCandidate(segment, address);
  if (!isCurrent || !may || isDoubted(segment, address)) return [];
  // It would hand the address back at once: to whoever comes before it, and does not answer.
  if (isSick(segment.health) && !isSick(healthOf(segment, holder))) return [];
  for (const [one, { atMs }] of segment.unanswered) {
    if (nowMs >= atMs + unansweredOnceMs) segment.unanswered.delete(one);
  }
  if (segment.unanswered.has(address)) return [];
  segment.unanswered.set(address, { from: holder, atMs: nowMs });
  const mine = claim(segment, address);
  const hold: Action = { kind: 'hold', ...mine, reason: 'Unanswered', from: holder };
  return [hold, ...tellClaims(segment, 'all', [mine])];
}
