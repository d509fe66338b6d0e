import type { Action, PeerState } from './action.ts';
import { pullIfBehind, vacateAll, type Vacancy } from './claims.ts';
import { isSick } from './health.ts';
import { isFarewell, type Message, type Standing } from './message.ts';
import {
  claimsOf,
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
import {
  askAgainMs,
  askPatientlyMs,
  confirmationMs,
  strangerMs,
  suspectAfterMs,
} from './timing.ts';

export const told = (node: string, state: PeerState): Action => ({ kind: 'peer', node, state });

/** Whether this is the answer to what the peer was asked. */
export const isAnswered = ({ question }: Peer, message: Message): boolean =>
  message.kind === 'answer' && message.nonce === question?.nonce;

/** What any fresh frame of a peer proves: it lives, at this MAC. */
export function hearPeer(segment: Segment, peer: Peer, message: Message, nowMs: number): Action[] {
  peer.heardAtMs = nowMs;
  peer.mac = message.mac;
  // A goodbye disowns nobody: others may have heard it first, and have taken what it leaves behind.
  if (!isFarewell(message)) peer.overtaken.clear();
  const { question } = peer;
  if (question === undefined) return [];
  // Frames may have been under way or waiting in the socket: where that would deceive, only an answer is news.
  if (question.why !== 'Silent' && !isAnswered(peer, message)) return [];
  peer.question = undefined;
  segment.preferencesDueAtMs = -Infinity;
  if (question.why === 'Contested') peer.contestedAtMs = nowMs;
  if (question.why === 'Stalled') reviewVacanciesSoon(segment, nowMs);
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
  const { phase, health } = standing;
  const before = peer.standing;
  const ranksAnew = phase !== before.phase || isSick(health) !== isSick(before.health);
  if (ranksAnew) reviewVacanciesSoon(segment, nowMs);
  if (ranksAnew || health !== before.health) segment.preferencesDueAtMs = -Infinity;
  if (phase !== 'active' || isSick(health)) peer.activeSinceMs = Infinity;
  else if (peer.activeSinceMs === Infinity) peer.activeSinceMs = nowMs;
  peer.standing = standing;
  peer.toldAtMs = nowMs;
  return pullIfBehind(segment, peer, nowMs);
}

export const answer = (segment: Segment, { mac, nonce }: Message & { kind: 'ask' }): Action =>
  say(segment, mac, { kind: 'answer', nonce, standing: standingOf(segment) });

/** Silence makes a peer suspect and asks it; silence after that makes it dead. */
export function judgeSilence(segment: Segment, nowMs: number): Action[] {
  const actions: Action[] = [];
  let asked = 0;
  for (const { question } of segment.peers.values()) if (question !== undefined) asked++;
  for (const peer of segment.peers.values()) {
    const { intervalMs: beat } = peer.standing;
    const { question } = peer;
    if (question === undefined) {
      if (nowMs < peer.heardAtMs + suspectAfterMs(beat)) continue;
      actions.push(told(peer.node, 'suspect'), ...interrogate(segment, peer, 'Silent', nowMs));
    } else if (nowMs >= deadlineOf(peer, question)) {
      const how = question.why === 'Contested' ? 'restarted' : 'dead';
      actions.push(...bury(segment, peer, how, nowMs));
    } else if (nowMs >= question.againAtMs) {
      const waitMs = question.why === 'Stalled' ? askPatientlyMs(beat) : askAgainMs(beat, asked);
      // From when it was due: what alarms are late must not add up.
      const nextMs = question.againAtMs + waitMs;
      question.againAtMs = nextMs > nowMs ? nextMs : nowMs + waitMs;
      actions.push(...askBothWays(segment, peer, question.nonce));
    }
  }
  return actions;
}

/** When a peer's silence is to be judged again. */
export function peerDueAtMs(peer: Peer): number {
  const { question, standing } = peer;
  if (question === undefined) return peer.heardAtMs + suspectAfterMs(standing.intervalMs);
  return Math.min(deadlineOf(peer, question), question.againAtMs);
}

/** A suspect has one confirmation time; a peer asked after our own stall has as long as a silent one. */
function deadlineOf({ standing }: Peer, { why, firstAtMs }: Question): number {
  const { intervalMs: beat } = standing;
  return firstAtMs + confirmationMs(beat) + (why === 'Stalled' ? suspectAfterMs(beat) : 0);
}

function interrogate(segment: Segment, peer: Peer, why: Question['why'], nowMs: number): Action[] {
  const waitMs = (why === 'Stalled' ? askPatientlyMs : askAgainMs)(peer.standing.intervalMs);
  peer.question = { nonce: segment.random(), why, firstAtMs: nowMs, againAtMs: nowMs + waitMs };
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
  if (how !== 'left') openEstate(segment, peer, nowMs);
  vacateAll(segment, peer.node, why, nowMs);
  reviewDoubt(segment, nowMs);
  reviewVacancies(segment, nowMs);
  return [told(peer.node, how === 'cutOff' ? 'left' : how)];
}

/**
 * Nodes find a peer gone within a moment of each other, and what the first ones claim comes in several frames. Whoever
 * is later shares out all that the peer held nevertheless, and so comes to the same shares as they did.
 */
function openEstate(segment: Segment, { node, overtaken }: Peer, nowMs: number): void {
  if (segment.estate.sinceMs !== nowMs) segment.estate = { sinceMs: nowMs, addresses: new Set() };
  const { addresses } = segment.estate;
  for (const { address } of claimsOf(segment, node)) addresses.add(address);
  for (const address of overtaken) addresses.add(address);
}

/** The link is gone, and with it all that was known of who lives behind it. */
export function forgetAll(segment: Segment, nowMs: number): void {
  for (const peer of segment.peers.values()) {
    vacateAll(segment, peer.node, { reason: 'LinkReturned', from: peer.node }, nowMs);
  }
  segment.peers.clear();
  segment.strangers.clear();
  segment.heard.clear();
  segment.deaf.clear();
  reviewDoubt(segment, nowMs);
}
