import type { Action, Candidates } from './action.ts';
import { drop, tellReleased, vacate, yieldTo } from './claims.ts';
import type { ClaimItem } from './message.ts';
import { leaveDoubt } from './unheard.ts';
import { claimsOf, reviewVacancies, type Segment } from './segment.ts';

/** The new plan: who may hold what. Addresses that left it are dropped, new ones become vacancies. */
export function adoptPlan(segment: Segment, candidates: Candidates, nowMs: number): Action[] {
  const dropped: ClaimItem[] = [];
  const actions: Action[] = [];
  leaveDoubt(segment, candidates, nowMs);
  segment.candidates = candidates;
  for (const { address, term } of claimsOf(segment, segment.node)) {
    if (candidates.has(address)) continue;
    drop(segment, address, { reason: 'Released' }, nowMs);
    actions.push(yieldTo(address, 'Withdrawn'));
    dropped.push({ address, term });
  }
  for (const [address, known] of segment.claims) {
    if (known.holder === undefined && !candidates.has(address)) {
      segment.claims.delete(address);
      segment.firstSinceMs.delete(address);
      segment.doubtLeftAtMs.delete(address);
    }
  }
  segment.preferencesDueAtMs = -Infinity;
  segment.vacancies.clear();
  for (const address of candidates.keys()) {
    const known = segment.claims.get(address);
    if (known === undefined) vacate(segment, address, { reason: 'Unclaimed' }, nowMs);
    else if (known.holder === undefined) segment.vacancies.add(address);
  }
  reviewVacancies(segment, nowMs);
  return [...actions, ...tellReleased(segment, dropped)];
}
