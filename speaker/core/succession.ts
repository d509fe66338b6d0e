import type { Action } from './action.ts';
import { claim, isInStep, tellClaims } from './claims.ts';
import { Contest, type Field } from './contest.ts';
import type { ClaimItem } from './message.ts';
import { firstOf, turnOf } from './rank.ts';
import { intervalMs, type Segment, type Vacant } from './segment.ts';
import { freeAtMs, isDoubted, takesDoubtedAtMs } from './unheard.ts';
import {
  introductionMs,
  preferredStepMs,
  vacancyStepMs,
  vacancyStepWhileListeningMs,
} from './timing.ts';

/**
 * Gives each vacant address to the first in rank. All nodes that see the same do this alike, one address after the
 * other with the loads that result, so a dead node's addresses spread over the others. Where the first in rank does not
 * claim (it may not know of the vacancy), the next one does a step later.
 */
export function fillVacancies(segment: Segment, nowMs: number): Action[] {
  if (nowMs < segment.vacanciesDueAtMs || segment.vacancies.size === 0) return [];
  segment.vacanciesDueAtMs = introductionsEndAtMs(segment, nowMs);
  if (segment.vacanciesDueAtMs < Infinity) return [];
  const contest = new Contest(segment);
  const taken: ClaimItem[] = [];
  const actions: Action[] = [];
  const take = (address: string, vacancy: Vacant): void => {
    segment.firstSinceMs.delete(address);
    taken.push(claim(segment, address));
    actions.push(holdVacant(segment, address, vacancy));
    contest.give(address, contest.runner(segment.node));
  };
  for (const address of [...segment.vacancies].sort()) {
    const vacancy = segment.claims.get(address);
    if (vacancy === undefined || vacancy.holder !== undefined) continue;
    if (isDoubted(segment, address)) {
      const turnAtMs = takesDoubtedAtMs(segment, address, vacancy, nowMs);
      if (nowMs >= turnAtMs) take(address, vacancy);
      else segment.vacanciesDueAtMs = Math.min(segment.vacanciesDueAtMs, turnAtMs);
      continue;
    }
    const freeFromMs = freeAtMs(segment, address);
    if (nowMs < freeFromMs) {
      segment.vacanciesDueAtMs = Math.min(segment.vacanciesDueAtMs, freeFromMs);
      continue;
    }
    // A newcomer takes only what nobody ever held.
    const field =
      vacancy.reason === 'Unclaimed' ? contest.expected(address) : contest.settled(address);
    const ground = contest.ground(address);
    const first = firstOf(field.contenders, ground);
    if (first === undefined) continue;
    const turn = turnOf(segment.node, field.contenders, ground);
    const turnAtMs = turn === undefined ? Infinity : turnMs(segment, vacancy, turn, field);
    if (nowMs >= turnAtMs) {
      take(address, vacancy);
    } else {
      contest.give(address, first.runner);
      segment.vacanciesDueAtMs = Math.min(segment.vacanciesDueAtMs, turnAtMs);
    }
  }
  return [...actions, ...tellClaims(segment, 'all', taken)];
}

/** Somebody who has just been found may hold what seems vacant: until when its claims are waited for. */
function introductionsEndAtMs(segment: Segment, nowMs: number): number {
  let endAtMs = Infinity;
  for (const peer of segment.peers.values()) {
    const untilMs = peer.sinceMs + introductionMs(intervalMs(segment));
    if (nowMs < untilMs && !isInStep(segment, peer)) endAtMs = Math.min(endAtMs, untilMs);
  }
  return endAtMs;
}

function holdVacant(segment: Segment, address: string, { reason, from, silentMs }: Vacant): Action {
  return {
    kind: 'hold',
    address,
    term: segment.claims.get(address)?.term ?? 0,
    reason,
    ...(from === undefined ? {} : { from }),
    ...(silentMs === undefined ? {} : { silentMs }),
  };
}

/** When a node takes what nobody before it has taken. */
function turnMs(segment: Segment, vacancy: Vacant, turn: number, field: Field): number {
  const sinceMs = Math.max(vacancy.sinceMs, segment.candidatesSinceMs);
  return sinceMs + (turn + patience(vacancy)) * stepMs(segment, vacancy, field);
}

function stepMs(segment: Segment, { reason }: Vacant, { contenders, waits }: Field): number {
  const interval = intervalMs(segment);
  if (waits) return vacancyStepWhileListeningMs(interval);
  const own = contenders.find(({ runner }) => runner.node === segment.node)?.score ?? 0;
  const isPreferred = reason === 'Unclaimed' && contenders.some(({ score }) => score > own);
  return isPreferred ? preferredStepMs(interval) : vacancyStepMs(interval);
}

/**
 * What was released may have left the plan, and the news of that may be on its way here; what a node that left had held
 * it has handed over, and its goodbye may be here before the heir's claim.
 */
const patience = ({ reason }: Vacant): number =>
  reason === 'Released' || reason === 'HolderLeft' ? 1 : 0;
