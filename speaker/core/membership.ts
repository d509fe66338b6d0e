import type { Action, PeerState } from './action.ts';
import { pullIfBehind, vacateAll, type Vacancy } from './claims.ts';
import type { Message, Standing } from './message.ts';
import {
  intervalMs,
  type Peer,
  type Question,
  reviewVacancies,
  reviewVacanciesSoon,
  say,
  type Segment,
  standingOf,
} from './segment.ts';
import { askBothWays, reviewDoubt } from './unheard.ts';
import { askAgainMs, confirmationMs, strangerMs, suspectAfterMs } from './timing.ts';

export const told = (node: string, state: PeerState): Action => ({ kind: 'peer', node, state });

/** What any fresh frame of a peer proves: it lives, at this MAC. */
export function hearPeer(segment: Segment, peer: Peer, message: Message, nowMs: number): Action[] {
  peer.heardAtMs = nowMs;
  peer.mac = message.mac;
  const { question } = peer;
  if (question === undefined) return [];
  // Frames may have been under way or waiting in the socket: where that would deceive, only an answer is news.
  const settled =
    question.why === 'Silent' || (message.kind === 'answer' && message.nonce === question.nonce);
  if (!settled) return [];
  peer.question = undefined;
  if (question.why === 'Contested') peer.contestedAtMs = nowMs;
  reviewVacanciesSoon(segment, nowMs);
  return question.why === 'Silent' ? [told(peer.node, 'alive')] : [];
}

/**
 * Another sender has proven to be alive under this peer's name: its next life, or a machine with a name that is taken.
 * The peer is asked; if it does not answer it has ended, and the name is free. One that has answered is left in peace.
 */
export function contest(segment: Segment, peer: Peer, nowMs: number): Action[] {
  const lately = nowMs < peer.contestedAtMs + strangerMs(intervalMs(segment));
  if (lately || peer.question !== undefined) return [];
  return interrogate(segment, peer, 'Contested', nowMs);
}

/** A peer's own word on where it stands. One that has left is gone at once. */
export function hearStanding(
  segment: Segment,
  peer: Peer,
  standing: Standing,
  nowMs: number,
): Action[] {
  if (standing.phase === 'left') {
    // Whoever goes in order has handed over or released what it held; what it still holds, it has left behind.
    const how = standing.claims.count > 0 ? 'cutOff' : 'left';
    return bury(segment, peer, how, nowMs);
  }
  if (standing.phase !== peer.standing.phase) reviewVacanciesSoon(segment, nowMs);
  if (standing.phase !== 'active') peer.activeSinceMs = Infinity;
  else if (peer.activeSinceMs === Infinity) {
    peer.activeSinceMs = nowMs;
    segment.preferencesDueAtMs = -Infinity;
  }
  peer.standing = standing;
  return pullIfBehind(segment, peer, nowMs);
}

export const answer = (segment: Segment, { mac, nonce }: Message & { kind: 'ask' }): Action =>
  say(segment, mac, { kind: 'answer', nonce, standing: standingOf(segment) });

/** Silence makes a peer suspect and asks it; silence after that makes it dead. */
export function judgeSilence(segment: Segment, nowMs: number): Action[] {
  const actions: Action[] = [];
  for (const peer of segment.peers.values()) {
    const { intervalMs: beat } = peer.standing;
    const { question } = peer;
    if (question === undefined) {
      if (nowMs < peer.heardAtMs + suspectAfterMs(beat)) continue;
      actions.push(told(peer.node, 'suspect'), ...interrogate(segment, peer, 'Silent', nowMs));
      reviewVacancies(segment, nowMs);
    } else if (nowMs >= deadlineOf(peer, question)) {
      const how = question.why === 'Contested' ? 'restarted' : 'dead';
      actions.push(...bury(segment, peer, how, nowMs));
    } else if (nowMs >= question.lastAtMs + askAgainMs(beat)) {
      question.lastAtMs = nowMs;
      actions.push(...askBothWays(segment, peer, question.nonce));
    }
  }
  return actions;
}

/** When a peer's silence is to be judged again. */
export function peerDueAtMs(peer: Peer): number {
  const { question, standing } = peer;
  if (question === undefined) return peer.heardAtMs + suspectAfterMs(standing.intervalMs);
  const againAtMs = question.lastAtMs + askAgainMs(standing.intervalMs);
  return Math.min(deadlineOf(peer, question), againAtMs);
}

/** A suspect has one confirmation time; a peer asked after our own stall has as long as a silent one. */
function deadlineOf({ standing }: Peer, { why, firstAtMs }: Question): number {
  const { intervalMs: beat } = standing;
  return firstAtMs + confirmationMs(beat) + (why === 'Stalled' ? suspectAfterMs(beat) : 0);
}

function interrogate(segment: Segment, peer: Peer, why: Question['why'], nowMs: number): Action[] {
  peer.question = { nonce: segment.random(), why, firstAtMs: nowMs, lastAtMs: nowMs };
  return askBothWays(segment, peer, peer.question.nonce);
}

/** After a stall of our own, every peer is asked where it stands now. */
export function questionAll(segment: Segment, nowMs: number): Action[] {
  return [...segment.peers.values()].flatMap((peer) =>
    interrogate(segment, peer, 'Stalled', nowMs),
  );
}

/** How a peer went, and what that makes of what it held. */
const vacancyReasons = {
  dead: 'HolderDied',
  restarted: 'HolderRestarted',
  left: 'HolderLeft',
  cutOff: 'HolderLinkDown',
} as const;

/** A peer is gone; what it held is vacant. */
function bury(
  segment: Segment,
  peer: Peer,
  how: keyof typeof vacancyReasons,
  nowMs: number,
): Action[] {
  const why: Vacancy = {
    reason: vacancyReasons[how],
    from: peer.node,
    ...(how === 'dead' ? { silentMs: nowMs - peer.heardAtMs } : {}),
  };
  segment.peers.delete(peer.node);
  vacateAll(segment, peer.node, why, nowMs);
  reviewDoubt(segment, nowMs);
  reviewVacancies(segment, nowMs);
  return [told(peer.node, how === 'cutOff' ? 'left' : how)];
}

/** The link is gone, and with it all that was known of who lives behind it. */
export function forgetAll(segment: Segment, nowMs: number): void {
  for (const peer of segment.peers.values()) {
    vacateAll(segment, peer.node, { reason: 'LinkReturned' }, nowMs);
  }
  segment.peers.clear();
  segment.strangers.clear();
  segment.heard.clear();
  segment.deaf.clear();
  reviewDoubt(segment, nowMs);
}
