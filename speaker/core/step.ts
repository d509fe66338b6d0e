import type { Action, Event, Phase } from './action.ts';
import { noteBeat } from './beat.ts';
import { amend, replan } from './candidates.ts';
import {
  drop,
  hearClaims,
  hearRelease,
  isInStep,
  tellAll,
  tellReleased,
  yieldTo,
} from './claims.ts';
import { type Health, isSick } from './health.ts';
import {
  answer,
  forgetAll,
  hearPeer,
  hearStanding,
  isAnswered,
  judgeSilence,
  peerDueAtMs,
  questionAll,
} from './membership.ts';
import { hearHandover, moveAlong, movesDueAtMs, planMoves } from './moves.ts';
import { planPreferred } from './preferences.ts';
import { isFresh } from './replay.ts';
import { hasUnproven, hearStranger, reviewStrangers } from './strangers.ts';
import { claimsOf, intervalMs, reviewVacancies, say, type Segment, standingOf } from './segment.ts';
import { fillVacancies } from './succession.ts';
import { askUnheard, askUnheardSoon, hearAbsent, noteDeaf, reachDeaf } from './unheard.ts';
import { takeUnanswered } from './witnesses.ts';
import { awaitHeirsAtMostMs, hearAnyMs, listenAtMostMs, listenMs, stallMs } from './timing.ts';

/**
 * One step of the state machine: what happened, when, and what is to be done about it. Changes the segment in place (a
 * copy of ten thousand claims with every pulse would only feed the garbage collector) and touches nothing else: no
 * socket, no timer, no clock. The same events at the same times give the same actions.
 */
export function step(segment: Segment, event: Event, nowMs: number): readonly Action[] {
  const actions = noticeStall(segment, nowMs);
  actions.push(...take(segment, event, nowMs));
  if (segment.phase === 'down' || segment.phase === 'left') return actions;
  // Only when all that has come in was heard: what proves a peer alive may be the next frame.
  if (event.kind === 'tick') {
    actions.push(...judgeSilence(segment, nowMs), ...reviewStrangers(segment, nowMs));
    actions.push(...askUnheard(segment, nowMs));
  }
  actions.push(...advance(segment, nowMs));
  if (segment.phase === 'active' && segment.hushedSinceMs === undefined) {
    actions.push(...fillVacancies(segment, nowMs));
  }
  planPreferred(segment, nowMs);
  actions.push(...moveAlong(segment, nowMs), ...leaveWhenDone(segment, nowMs));
  actions.push(...pulseWhenDue(segment, nowMs));
  return reachDeaf(segment, actions);
}

/**
 * When `step` wants a tick even if nothing happens. Times are added here and there in the same way, and compared, never
 * subtracted: with fractions of a millisecond the two differ, and an alarm would ring too early for ever.
 */
export function dueAtMs(segment: Segment): number {
  const { phase, phaseSinceMs, steppedAtMs } = segment;
  if (phase === 'down' || phase === 'left') return Infinity;
  const due = [segment.nextPulseAtMs, movesDueAtMs(segment), segment.askUnheardAtMs];
  if (phase === 'leaving') due.push(phaseSinceMs + awaitHeirsAtMostMs);
  // What is overdue here waits for something to be heard, at the latest for the next pulse of our own.
  const listened = phaseSinceMs + listenMs(intervalMs(segment));
  if (phase === 'listening' && listened > steppedAtMs) due.push(listened);
  if (segment.preferencesDueAtMs > steppedAtMs) due.push(segment.preferencesDueAtMs);
  if (segment.hushedAtLeastUntilMs > steppedAtMs) due.push(segment.hushedAtLeastUntilMs);
  if (phase === 'active' && segment.vacanciesDueAtMs > steppedAtMs) {
    due.push(segment.vacanciesDueAtMs);
  }
  let dueAtMs = Math.min(...due);
  for (const peer of segment.peers.values()) dueAtMs = Math.min(dueAtMs, peerDueAtMs(peer));
  return dueAtMs;
}

/** Whether the node has not run for so long that others may have taken what it holds. */
export const hasStalled = (segment: Segment, nowMs: number): boolean =>
  segment.phase !== 'down' && nowMs - segment.steppedAtMs >= stallMs(intervalMs(segment));

/** Having been away for longer than others wait, answer nothing until they have said where they stand. */
function noticeStall(segment: Segment, nowMs: number): Action[] {
  const stalled = hasStalled(segment, nowMs);
  const stalledMs = nowMs - segment.steppedAtMs;
  segment.steppedAtMs = nowMs;
  if (!stalled) return [];
  if (segment.phase === 'listening') segment.phaseSinceMs = nowMs;
  const hushed = segment.hushedSinceMs !== undefined;
  segment.hushedSinceMs = nowMs;
  // In less time nobody can have come and taken anything; but whoever hears none of the others that there are may have been
  // cut off, and not be any more.
  const interval = intervalMs(segment);
  const isAlone = segment.peers.size === 0 && segment.roster.size > 0;
  if (stalledMs >= listenMs(interval) || isAlone)
    segment.hushedAtLeastUntilMs = nowMs + hearAnyMs(interval);
  const questions = questionAll(segment, nowMs);
  return hushed ? questions : [{ kind: 'hush' }, ...questions];
}

function take(segment: Segment, event: Event, nowMs: number): Action[] {
  const { phase } = segment;
  switch (event.kind) {
    case 'frame':
      return phase === 'down' || phase === 'left' ? [] : hear(segment, event, nowMs);
    case 'plan':
      return replan(segment, event, nowMs);
    case 'amendment':
      return amend(segment, event, nowMs);
    case 'link':
      return setLink(segment, event, nowMs);
    case 'health':
      return setHealth(segment, event.health, nowMs);
    case 'unanswered':
      return takeUnanswered(segment, event, nowMs);
    case 'leave':
      return leave(segment, nowMs);
    case 'tick':
      return [];
  }
}

/** Peers are told at once: whether this node is well decides what a sick one does. */
function setHealth(segment: Segment, health: Health, nowMs: number): Action[] {
  const before = segment.health;
  if (health === before) return [];
  segment.health = health;
  segment.nextPulseAtMs = nowMs;
  segment.preferencesDueAtMs = -Infinity;
  if (isSick(health) !== isSick(before)) reviewVacancies(segment, nowMs);
  for (const [address, { why }] of segment.moves) if (why === 'Sick') segment.moves.delete(address);
  return [];
}

function leave(segment: Segment, nowMs: number): Action[] {
  if (segment.phase === 'left') return [];
  const actions = setPhase(segment, segment.phase === 'down' ? 'left' : 'leaving', nowMs);
  planMoves(segment, claimsOf(segment, segment.node));
  return actions;
}

function hear(segment: Segment, event: Event & { kind: 'frame' }, nowMs: number): Action[] {
  const { boot, sequence, message, by } = event;
  if (boot === segment.boot) return [];
  const peer = segment.peers.get(message.node);
  if (message.kind === 'absent') {
    hearAbsent(segment, message, nowMs);
    return [];
  }
  const isPeer = peer?.boot === boot;
  const isLatest = isPeer && sequence > peer.sequences.highest;
  if (isPeer && !isFresh(peer.sequences, sequence)) return [];
  if (by === 'datagram' && message.kind === 'ask') noteDeaf(segment, message, nowMs);
  if (!isPeer) return hearStranger(segment, event, nowMs);
  if (by === undefined) peer.framedAtMs = nowMs;
  // What was said before something that is known is no sign of life, and no news of where its sender stands: it may have
  // been said to another node and recorded there, or be a goodbye that went a longer way than what came after it. Claims
  // tell their version, an answer tells the question.
  const isNews = isLatest || isAnswered(peer, message);
  const actions = isNews ? hearPeer(segment, peer, message, nowMs) : [];
  switch (message.kind) {
    case 'pulse':
      if (!isLatest) break;
      segment.pulsesLost += noteBeat(peer.beat, peer.standing.intervalMs, nowMs);
      actions.push(...hearStanding(segment, peer, message.standing, nowMs));
      break;
    case 'ask':
      actions.push(answer(segment, message));
      break;
    case 'answer':
      if (isLatest) actions.push(...hearStanding(segment, peer, message.standing, nowMs));
      break;
    case 'pull':
      actions.push(...tellAll(segment, peer));
      break;
    case 'claims':
      actions.push(...hearClaims(segment, peer, message, nowMs));
      break;
    case 'release':
      hearRelease(segment, peer, message, nowMs);
      break;
    case 'handover':
      actions.push(...hearHandover(segment, peer, message));
      break;
  }
  return actions;
}

function setLink(segment: Segment, { up, mac }: Event & { kind: 'link' }, nowMs: number): Action[] {
  segment.mac = mac;
  if (up) {
    if (segment.phase !== 'down') return [];
    askUnheardSoon(segment, nowMs);
    return setPhase(segment, 'listening', nowMs);
  }
  if (segment.phase === 'down' || segment.phase === 'left') return [];
  // What is left behind stands in it, so that peers wait for nobody to whom it was handed over.
  const goodbye = segment.peers.size === 0 ? [] : [farewell(segment, 'elsewhere')];
  const actions = claimsOf(segment, segment.node).map(({ address }) => {
    drop(segment, address, { reason: 'LinkReturned' }, nowMs);
    return yieldTo(address, 'LinkDown');
  });
  forgetAll(segment, nowMs);
  const next = segment.phase === 'leaving' ? 'left' : 'down';
  return [...actions, ...goodbye, ...setPhase(segment, next, nowMs)];
}

function setPhase(segment: Segment, phase: Phase, nowMs: number): Action[] {
  if (segment.phase === phase) return [];
  segment.phase = phase;
  segment.phaseSinceMs = nowMs;
  segment.nextPulseAtMs = nowMs;
  reviewVacancies(segment, nowMs);
  return [{ kind: 'phase', phase }];
}

/** A newcomer becomes active, and a node that stalled speaks again, once all peers have been heard out. */
function advance(segment: Segment, nowMs: number): Action[] {
  if (segment.hushedSinceMs === undefined && segment.phase !== 'listening') return [];
  const interval = intervalMs(segment);
  const namesake = nowMs < segment.namesakeAtMs + listenMs(interval);
  if (segment.hushedSinceMs !== undefined) {
    if (namesake) return replaced(segment, nowMs);
    if (nowMs < segment.hushedAtLeastUntilMs) return [];
    if (!isInformed(segment) && nowMs < segment.hushedSinceMs + listenAtMostMs(interval)) return [];
    segment.hushedSinceMs = undefined;
    reviewVacancies(segment, nowMs);
    return [{ kind: 'speak' }];
  }
  const listenedAtMs = segment.phaseSinceMs + listenMs(interval);
  if (nowMs < listenedAtMs || namesake) return [];
  if (!isInformed(segment) && nowMs < listenedAtMs + listenAtMostMs(interval)) return [];
  return setPhase(segment, 'active', nowMs);
}

/** Whether everybody who speaks here has proven who it is, has answered, and has told all that it holds. */
function isInformed(segment: Segment): boolean {
  const peers = [...segment.peers.values()];
  const asked = peers.some(({ question }) => question?.why === 'Stalled');
  return !asked && !hasUnproven(segment) && peers.every((peer) => isInStep(segment, peer));
}

/** While this node stood still another took its name, and its peers believe that one now. */
function replaced(segment: Segment, nowMs: number): Action[] {
  const actions = claimsOf(segment, segment.node).map(({ address }) => {
    drop(segment, address, { reason: 'Released' }, nowMs);
    return yieldTo(address, 'NameTaken');
  });
  segment.hushedSinceMs = undefined;
  return [...actions, { kind: 'speak' }, ...setPhase(segment, 'listening', nowMs)];
}

/** With nothing left to hand over, or nobody to take it for too long, the last pulse says goodbye. */
function leaveWhenDone(segment: Segment, nowMs: number): Action[] {
  if (segment.phase !== 'leaving') return [];
  const waiting = [...segment.moves.values()].some(({ heir }) => heir !== undefined);
  if (waiting && nowMs < segment.phaseSinceMs + awaitHeirsAtMostMs) return [];
  const own = claimsOf(segment, segment.node);
  const actions = own.map(({ address }) => {
    drop(segment, address, { reason: 'Released' }, nowMs);
    return yieldTo(address, 'Leaving');
  });
  return [
    ...actions,
    ...tellReleased(segment, own),
    ...setPhase(segment, 'left', nowMs),
    farewell(segment, 'all'),
  ];
}

const farewell = (segment: Segment, to: 'all' | 'elsewhere'): Action =>
  say(segment, to, { kind: 'pulse', standing: { ...standingOf(segment), phase: 'left' } });

function pulseWhenDue(segment: Segment, nowMs: number): Action[] {
  if (segment.phase === 'left' || nowMs < segment.nextPulseAtMs) return [];
  const interval = intervalMs(segment);
  // Kept to its beat unless it fell behind by more than one.
  const next = segment.nextPulseAtMs + interval;
  segment.nextPulseAtMs = next > nowMs ? next : nowMs + interval;
  return [say(segment, 'all', { kind: 'pulse', standing: standingOf(segment) })];
}
