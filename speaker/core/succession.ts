import type { Action } from './action.ts';
import { claim, tellClaims } from './claims.ts';
import type { ClaimItem } from './message.ts';
import { type Candidate, rank } from './rank.ts';
import { intervalMs, loadOf, type Segment, type Vacant } from './segment.ts';
import { vacancyStepMs, vacancyStepWhileListeningMs } from './timing.ts';

/**
 * Gives each vacant address to the first in rank. All nodes that see the same do this alike, one address after the
 * other with the loads that result, so a dead node's addresses spread over the others. Where the first in rank does not
 * claim (it may not know of the vacancy), the next one does a step later.
 */
export function fillVacancies(segment: Segment, nowMs: number): Action[] {
  if (nowMs < segment.vacanciesDueAtMs || segment.vacancies.size === 0) return [];
  segment.vacanciesDueAtMs = Infinity;
  const extra = new Map<string, number>();
  const load = (node: string): number => loadOf(segment, node) + (extra.get(node) ?? 0);
  const taken: ClaimItem[] = [];
  const actions: Action[] = [];
  for (const address of [...segment.vacancies].sort()) {
    const vacancy = segment.claims.get(address);
    if (vacancy === undefined || vacancy.holder !== undefined) continue;
    const heirs = rank(address, eligible(segment, address, vacancy), load);
    const [first] = heirs;
    if (first === undefined) continue;
    const turn = heirs.indexOf(segment.node);
    const sinceMs = Math.max(vacancy.sinceMs, segment.candidatesSinceMs);
    const turnAtMs = sinceMs + (turn + patience(vacancy)) * stepMs(segment, heirs);
    if (turn >= 0 && nowMs >= turnAtMs) {
      taken.push(claim(segment, address));
      actions.push(holdVacant(segment, address, vacancy));
      continue;
    }
    extra.set(first, (extra.get(first) ?? 0) + 1);
    if (turn >= 0) segment.vacanciesDueAtMs = Math.min(segment.vacanciesDueAtMs, turnAtMs);
  }
  return [...actions, ...tellClaims(segment, 'all', taken)];
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

/** Who of the planned candidates can take a vacant address now. A newcomer takes only what nobody ever held. */
function eligible(segment: Segment, address: string, vacancy: Vacant): readonly Candidate[] {
  const planned = segment.candidates.get(address) ?? [];
  const active = planned.filter(({ node }) => canTake(segment, node));
  if (vacancy.reason !== 'Unclaimed') return active;
  return planned.filter(({ node }) => canTake(segment, node) || isListening(segment, node));
}

/** Whether the node is there and settled: this one, or a peer that is not suspected. */
export function canTake(segment: Segment, node: string): boolean {
  if (node === segment.node) {
    return segment.phase === 'active' && segment.hushedSinceMs === undefined;
  }
  const peer = segment.peers.get(node);
  return (
    peer?.standing.phase === 'active' &&
    peer.question?.why !== 'Silent' &&
    peer.question?.why !== 'Stalled'
  );
}

const isListening = (segment: Segment, node: string): boolean =>
  segment.peers.get(node)?.standing.phase === 'listening';

/** What was released may have left the plan, and the news of that may be on its way here. */
const patience = ({ reason }: Vacant): number => (reason === 'Released' ? 1 : 0);

function stepMs(segment: Segment, heirs: readonly string[]): number {
  const interval = intervalMs(segment);
  return heirs.some((node) => isListening(segment, node))
    ? vacancyStepWhileListeningMs(interval)
    : vacancyStepMs(interval);
}
