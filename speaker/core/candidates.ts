import type { Action, Amendment, Candidates, Event, Siblings } from './action.ts';
import { drop, forget, tellReleased, vacate, yieldTo } from './claims.ts';
import type { ClaimItem } from './message.ts';
import { planMoves } from './moves.ts';
import { adoptRoster, leaveDoubt } from './unheard.ts';
import type { Candidate } from './rank.ts';
import { claimsOf, isHolding, reviewVacancies, type Segment } from './segment.ts';

/** A whole new plan: who may hold what. */
export function adoptPlan(segment: Segment, candidates: Candidates, nowMs: number): Action[] {
  const removed = [...segment.candidates.keys()].filter((address) => !candidates.has(address));
  return amendPlan(segment, { put: candidates, removed }, nowMs);
}

/**
 * What is different in the plan. Addresses that left it are dropped, new ones become vacancies. It costs as much as there
 * are changes, but for a glance at what is claimed.
 */
export function amendPlan(segment: Segment, { put, removed }: Amendment, nowMs: number): Action[] {
  const dropped: ClaimItem[] = [];
  const actions: Action[] = [];
  leaveDoubt(segment, put, nowMs);
  // News of other addresses, which may come all the time, must not put off the turns of those that wait.
  if (changesVacancies(segment, put)) reviewVacancies(segment, nowMs);
  else segment.vacanciesDueAtMs = -Infinity;
  for (const [address, candidates] of put) segment.candidates.set(address, candidates);
  for (const address of removed) {
    segment.candidates.delete(address);
    segment.vacancies.delete(address);
    const term = segment.claims.get(address)?.term;
    if (term === undefined || !isHolding(segment, address)) continue;
    drop(segment, address, { reason: 'Released' }, nowMs);
    actions.push(yieldTo(address, 'Withdrawn'));
    dropped.push({ address, term });
  }
  forgetUnplanned(segment);
  segment.preferencesDueAtMs = -Infinity;
  for (const address of put.keys()) {
    const known = segment.claims.get(address);
    if (known === undefined) vacate(segment, address, { reason: 'Unclaimed' }, nowMs);
    else if (known.holder === undefined) segment.vacancies.add(address);
  }
  return [...actions, ...tellReleased(segment, dropped)];
}

/** Whether others than before may take one of the addresses that nobody holds. */
function changesVacancies({ claims, candidates }: Segment, put: Candidates): boolean {
  for (const [address, next] of put) {
    const known = claims.get(address);
    if (known === undefined || known.holder !== undefined) continue;
    if (!isSameList(candidates.get(address), next)) return true;
  }
  return false;
}

const isSameList = (a: readonly Candidate[] = [], b: readonly Candidate[]): boolean =>
  a === b ||
  (a.length === b.length &&
    a.every(({ node, score }, index) => b[index]?.node === node && b[index].score === score));

/** The other addresses of the Services of these, as far as they have any. */
export function adoptSiblings(
  segment: Segment,
  addresses: Iterable<string>,
  siblings: Siblings,
): void {
  for (const address of addresses) {
    const others = siblings.get(address);
    if (others === undefined) segment.siblings.delete(address);
    else segment.siblings.set(address, others);
  }
}

/** Nobody holds them, and nobody is to. */
function forgetUnplanned(segment: Segment): void {
  for (const [address, known] of segment.claims) {
    if (known.holder !== undefined || segment.candidates.has(address)) continue;
    forget(segment, address);
  }
}

/** The whole plan, with what else the API says of the segment. */
export function replan(
  segment: Segment,
  { candidates, roster, siblings }: Event & { kind: 'plan' },
  nowMs: number,
): Action[] {
  if (siblings !== undefined) {
    segment.siblings.clear();
    adoptSiblings(segment, siblings.keys(), siblings);
  }
  if (roster !== undefined) adoptRoster(segment, roster, nowMs);
  const actions = adoptPlan(segment, candidates, nowMs);
  planMoves(segment, claimsOf(segment, segment.node));
  return actions;
}

/** The same where only what is different is told. */
export function amend(
  segment: Segment,
  { put, removed, roster, siblings = new Map() }: Event & { kind: 'amendment' },
  nowMs: number,
): Action[] {
  adoptSiblings(segment, [...put.keys(), ...removed], siblings);
  if (roster !== undefined) adoptRoster(segment, roster, nowMs);
  const actions = amendPlan(segment, { put, removed }, nowMs);
  const held = claimsOf(segment, segment.node);
  planMoves(
    segment,
    held.filter(({ address }) => put.has(address)),
  );
  return actions;
}
