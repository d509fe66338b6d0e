import type { Action, PeerState } from './action.ts';
import { pullIfBehind, tellAll, vacateAll, type Vacancy } from './claims.ts';
import type { Message, Standing } from './message.ts';
import { openWindow } from './replay.ts';
import {
  intervalMs,
  type Peer,
  type Question,
  reviewVacancies,
  say,
  type Segment,
  standingOf,
} from './segment.ts';
import { askAgainMs, confirmationMs, strangerMs, suspectAfterMs } from './timing.ts';

/** More senders with a valid key than any segment has nodes: somebody restarts in a loop. */
const strangersAtMost = 1000;

type Heard = { readonly boot: bigint; readonly sequence: bigint; readonly message: Message };

const told = (node: string, state: PeerState): Action => ({ kind: 'peer', node, state });

/**
 * A sender that is no peer yet, or another life of one. It becomes a peer by answering a question asked just now, so
 * that frames recorded earlier bring nobody back to life. Until then nothing it says is believed.
 */
export function hearStranger(
  segment: Segment,
  { boot, sequence, message }: Heard,
  nowMs: number,
): Action[] {
  const known = segment.strangers.get(boot);
  if (message.kind === 'answer') {
    if (known === undefined || known.nonce !== message.nonce) return [];
    segment.strangers.delete(boot);
    return welcome(segment, { boot, sequence, message, sinceMs: known.sinceMs }, nowMs);
  }
  const actions: Action[] = [];
  if (message.kind === 'ask') actions.push(answer(segment, message));
  else if (message.kind !== 'pulse') return [];
  if (known === undefined && segment.strangers.size >= strangersAtMost) return actions;
  const stranger = known ?? {
    node: message.node,
    nonce: segment.random(),
    sinceMs: nowMs,
    askedAtMs: -Infinity,
  };
  segment.strangers.set(boot, stranger);
  if (nowMs - stranger.askedAtMs >= askAgainMs(intervalMs(segment))) {
    stranger.askedAtMs = nowMs;
    actions.push(say(segment, message.mac, { kind: 'ask', nonce: stranger.nonce }));
  }
  return actions;
}

/**
 * A proven sender joins, and our claims are its first news. An earlier life of the same node has ended, unless it was
 * heard since: then two machines use one name, and the one known first stays.
 */
function welcome(
  segment: Segment,
  { boot, sequence, message, sinceMs }: Proof,
  nowMs: number,
): Action[] {
  const { node, mac, standing } = message;
  const before = segment.peers.get(node);
  if (before !== undefined && before.heardAtMs > sinceMs) return [];
  const actions = before === undefined ? [] : bury(segment, before, 'restarted', nowMs);
  if (standing.phase === 'left') return actions;
  const peer: Peer = {
    node,
    boot,
    mac,
    standing,
    sequences: openWindow(sequence),
    heardAtMs: nowMs,
    question: undefined,
    pulledAtMs: -Infinity,
    snapshot: undefined,
  };
  segment.peers.set(node, peer);
  reviewVacancies(segment, nowMs);
  actions.push(
    told(node, 'alive'),
    ...tellAll(segment, peer),
    ...pullIfBehind(segment, peer, nowMs),
  );
  return actions;
}

type Proof = Heard & { readonly message: { readonly kind: 'answer' }; readonly sinceMs: number };

/** What any fresh frame of a peer proves: it lives, at this MAC. */
export function hearPeer(segment: Segment, peer: Peer, message: Message, nowMs: number): Action[] {
  peer.heardAtMs = nowMs;
  peer.mac = message.mac;
  const { question } = peer;
  if (question === undefined) return [];
  // After a stall of our own, frames may have been waiting in the socket: only an answer is news.
  const settled =
    question.why === 'Silent' || (message.kind === 'answer' && message.nonce === question.nonce);
  if (!settled) return [];
  peer.question = undefined;
  reviewVacancies(segment, nowMs);
  return question.why === 'Silent' ? [told(peer.node, 'alive')] : [];
}

/** A peer's own word on where it stands. One that has left is gone at once. */
export function hearStanding(
  segment: Segment,
  peer: Peer,
  standing: Standing,
  nowMs: number,
): Action[] {
  if (standing.phase === 'left') return bury(segment, peer, 'left', nowMs);
  if (standing.phase !== peer.standing.phase) reviewVacancies(segment, nowMs);
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
      actions.push(...bury(segment, peer, 'dead', nowMs));
    } else if (nowMs >= question.lastAtMs + askAgainMs(beat)) {
      question.lastAtMs = nowMs;
      actions.push(say(segment, peer.mac, { kind: 'ask', nonce: question.nonce }));
    }
  }
  for (const [boot, stranger] of segment.strangers) {
    if (nowMs - stranger.sinceMs >= strangerMs(intervalMs(segment))) segment.strangers.delete(boot);
  }
  return actions;
}

/** A suspect has one confirmation time; a peer asked after our own stall has as long as a silent one. */
export function deadlineOf({ standing }: Peer, { why, firstAtMs }: Question): number {
  const { intervalMs: beat } = standing;
  return firstAtMs + confirmationMs(beat) + (why === 'Stalled' ? suspectAfterMs(beat) : 0);
}

function interrogate(segment: Segment, peer: Peer, why: Question['why'], nowMs: number): Action[] {
  peer.question = { nonce: segment.random(), why, firstAtMs: nowMs, lastAtMs: nowMs };
  return [say(segment, peer.mac, { kind: 'ask', nonce: peer.question.nonce })];
}

/** After a stall of our own, every peer is asked where it stands now. */
export function questionAll(segment: Segment, nowMs: number): Action[] {
  return [...segment.peers.values()].flatMap((peer) =>
    interrogate(segment, peer, 'Stalled', nowMs),
  );
}

/** A peer is gone; what it held is vacant. */
function bury(
  segment: Segment,
  peer: Peer,
  how: 'dead' | 'restarted' | 'left',
  nowMs: number,
): Action[] {
  const reasons = { dead: 'HolderDied', restarted: 'HolderRestarted', left: 'HolderLeft' } as const;
  const why: Vacancy = {
    reason: reasons[how],
    from: peer.node,
    ...(how === 'dead' ? { silentMs: nowMs - peer.heardAtMs } : {}),
  };
  segment.peers.delete(peer.node);
  vacateAll(segment, peer.node, why, nowMs);
  reviewVacancies(segment, nowMs);
  return [told(peer.node, how)];
}

/** The link is gone, and with it all that was known of who lives behind it. */
export function forgetAll(segment: Segment, nowMs: number): void {
  for (const peer of segment.peers.values()) {
    vacateAll(segment, peer.node, { reason: 'LinkReturned' }, nowMs);
  }
  segment.peers.clear();
  segment.strangers.clear();
}
