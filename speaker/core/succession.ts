import type { Action } from './action.ts';
import { claim, isInStep, tellClaims } from './claims.ts';
import { Contest, type Field } from './contest.ts';
import type { ClaimItem } from './message.ts';
import { firstOf, type Ground, type Runner, turnOf } from './rank.ts';
import { intervalMs, type Peer, type Segment, type Vacant } from './segment.ts';
import { askBothWays, freeAtMs, isDoubted, takesDoubtedAtMs } from './unheard.ts';
import {
  confirmationMs,
  gatherMs,
  introductionMs,
  listenAtMostMs,
  preferredStepMs,
  vacancyStepMs,
  vacancyStepWhileListeningMs,
} from './timing.ts';

/**
 * Gives each vacant address to the first in rank. All nodes that see the same do this alike, one address after the
 * other with the loads that result, so a dead node's addresses spread over the others. Where the first in rank does not
 * claim (it may not know of the vacancy), the next one does a step later, and asks before it does.
 */
export function fillVacancies(segment: Segment, nowMs: number): Action[] {
  if (nowMs < segment.vacanciesDueAtMs || segment.vacancies.size === 0) return [];
  segment.vacanciesDueAtMs = introductionsEndAtMs(segment, nowMs);
  if (segment.vacanciesDueAtMs < Infinity) return [];
  const interval = intervalMs(segment);
  const estate = estateOf(segment, nowMs);
  const contest = new Contest(segment, estate);
  const taken: ClaimItem[] = [];
  const actions: Action[] = [];
  const asked = new Set<Peer>();
  const take = (address: string, vacancy: Vacant): void => {
    segment.firstSinceMs.delete(address);
    taken.push(claim(segment, address));
    actions.push(holdVacant(segment, { address, vacancy }, nowMs));
    contest.give(address, contest.runner(segment.node));
  };
  for (const address of [...segment.vacancies.union(estate)].sort()) {
    const vacancy = segment.claims.get(address);
    if (vacancy === undefined) continue;
    if (vacancy.holder !== undefined) {
      contest.give(address, heirOf(address, contest) ?? contest.runner(vacancy.holder));
      continue;
    }
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
    const turn = ownTurn(segment, vacancy, field, ground);
    const untold = nowMs < turn.atMs ? [] : untoldOf(segment, field, turn);
    const isTold = untold.length === 0 || nowMs >= turn.atMs + listenAtMostMs(interval);
    if (nowMs >= turn.atMs && isTold) {
      take(address, vacancy);
    } else {
      for (const peer of untold) asked.add(peer);
      contest.give(address, first.runner);
      const againAtMs = Math.max(turn.atMs, nowMs + gatherMs(interval));
      segment.vacanciesDueAtMs = Math.min(segment.vacanciesDueAtMs, againAtMs);
    }
  }
  const questions = [...asked].flatMap((peer) => askBothWays(segment, peer, segment.random()));
  return [...actions, ...tellClaims(segment, 'all', taken), ...questions];
}

/**
 * Another contender may have taken by now what seems vacant, with a claim that was lost on its way here, or found the
 * vacancy an interval later than this node: those that have not told since then what they hold, or not all of it.
 */
function untoldOf(segment: Segment, { contenders }: Field, { newsSinceMs }: Turn): readonly Peer[] {
  if (newsSinceMs === undefined) return [];
  return contenders.flatMap(({ runner: { node } }) => {
    const peer = segment.peers.get(node);
    if (peer === undefined || (peer.toldAtMs >= newsSinceMs && isInStep(segment, peer))) return [];
    return [peer];
  });
}

const heirOf = (address: string, contest: Contest): Runner | undefined =>
  firstOf(contest.settled(address).contenders, contest.ground(address))?.runner;

/** What is shared out as if nobody had taken any of it: until all that was claimed of it at once must have been heard. */
function estateOf(segment: Segment, nowMs: number): ReadonlySet<string> {
  const { sinceMs, addresses } = segment.estate;
  return nowMs < sinceMs + vacancyStepMs(intervalMs(segment)) ? addresses : new Set();
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

function holdVacant(
  segment: Segment,
  { address, vacancy }: { address: string; vacancy: Vacant },
  nowMs: number,
): Action {
  const { reason, from, silentMs, sinceMs } = vacancy;
  return {
    kind: 'hold',
    address,
    term: segment.claims.get(address)?.term ?? 0,
    reason,
    ...(from === undefined ? {} : { from }),
    ...(silentMs === undefined ? {} : { silentMs, decisionMs: nowMs - sinceMs }),
  };
}

type Turn = {
  /** When a node takes what nobody before it has taken. */
  readonly atMs: number;
  /** How new the word of the other contenders has to be; undefined: nobody's is waited for. */
  readonly newsSinceMs: number | undefined;
};

function ownTurn(segment: Segment, vacancy: Vacant, field: Field, ground: Ground): Turn {
  const before = turnOf(segment.node, field.contenders, ground);
  if (before === undefined) return { atMs: Infinity, newsSinceMs: undefined };
  const waitMs = stepMs(segment, vacancy, field);
  const steps = before + patience(vacancy);
  const atMs = Math.max(vacancy.sinceMs, segment.candidatesSinceMs) + steps * waitMs;
  // What nobody holds, as far as this node knows, may be among the claims that it does not know yet.
  if (steps === 0 && vacancy.reason === 'Unclaimed') return { atMs, newsSinceMs: -Infinity };
  const isNew = steps === 0 && atMs < vacancy.sinceMs + waitMs;
  return { atMs, newsSinceMs: isNew ? undefined : atMs - confirmationMs(intervalMs(segment)) };
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
