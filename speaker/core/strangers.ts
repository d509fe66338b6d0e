import type { Action, Event } from './action.ts';
import { openBeat } from './beat.ts';
import { pullIfBehind, tellAll } from './claims.ts';
import { isSick } from './health.ts';
import { answer, contest, told } from './membership.ts';
import type { Message } from './message.ts';
import { openWindow } from './replay.ts';
import {
  intervalMs,
  type Peer,
  reviewVacanciesSoon,
  say,
  type Segment,
  type Stranger,
} from './segment.ts';
import { askPatientlyMs, strangerMs } from './timing.ts';
import { noteHeard } from './unheard.ts';

/** More senders with a valid key than any segment has nodes: somebody restarts in a loop, or plays old frames again. */
export const strangersAtMost = 1000;

type Heard = Omit<Event & { readonly kind: 'frame' }, 'kind'>;

/**
 * A sender that is no peer: a newcomer, another life of a peer, or a machine with a name that is taken. It is somebody
 * only after it has answered a question asked just now, so that frames recorded earlier bring nobody back to life.
 */
export function hearStranger(segment: Segment, heard: Heard, nowMs: number): Action[] {
  const { boot, sequence, message, by } = heard;
  const known = segment.strangers.get(boot);
  // Who was asked whether it is there, because no frame of its came, is met like anybody who speaks.
  const isFound =
    message.kind === 'answer' && known === undefined && message.nonce === segment.askNonce;
  if (message.kind === 'answer' && !isFound) {
    if (known === undefined || known.nonce !== message.nonce) return [];
    known.proof = { boot, sequence, message, ...(by === undefined ? {} : { by }) };
    return admit(segment, known, nowMs);
  }
  const actions = message.kind === 'ask' ? [answer(segment, message)] : [];
  if (message.kind !== 'ask' && message.kind !== 'pulse' && !isFound) return [];
  if (known === undefined) forgetOldest(segment);
  const stranger = known ?? {
    node: message.node,
    nonce: segment.random(),
    sinceMs: nowMs,
    askedAtMs: -Infinity,
    proof: undefined,
  };
  segment.strangers.set(boot, stranger);
  if (nowMs < stranger.askedAtMs + askPatientlyMs(intervalMs(segment))) return actions;
  stranger.askedAtMs = nowMs;
  const udp = isFound ? segment.roster.get(message.node)?.udp : undefined;
  const to = udp === undefined ? message.mac : { udp };
  return [...actions, say(segment, to, { kind: 'ask', nonce: stranger.nonce })];
}

/** Makes room: whoever is alive answers within a few milliseconds, and need not wait for those who are not. */
function forgetOldest({ strangers }: Segment): void {
  if (strangers.size < strangersAtMost) return;
  const [oldest] = strangers.keys();
  if (oldest !== undefined) strangers.delete(oldest);
}

/** Lets in those whose name has become free, and forgets those who proved nothing for long. */
export function reviewStrangers(segment: Segment, nowMs: number): Action[] {
  const actions: Action[] = [];
  for (const [boot, stranger] of segment.strangers) {
    const free = !segment.peers.has(stranger.node) && stranger.node !== segment.node;
    if (stranger.proof !== undefined && free) actions.push(...admit(segment, stranger, nowMs));
    else if (nowMs >= stranger.sinceMs + strangerMs(intervalMs(segment))) {
      segment.strangers.delete(boot);
    }
  }
  return actions;
}

/** Whether somebody speaks here of whom it is not known yet who it is. */
export const hasUnproven = (segment: Segment): boolean =>
  [...segment.strangers.values()].some(({ proof }) => proof === undefined);

/** A proven sender joins, and our claims are its first news; where its name is taken, the one who has it is asked. */
function admit(segment: Segment, { node, proof }: Stranger, nowMs: number): Action[] {
  if (proof === undefined) return [];
  const { boot, sequence, message, by } = proof;
  if (node === segment.node) return noteNamesake(segment, message, nowMs);
  const before = segment.peers.get(node);
  if (before !== undefined) return contest(segment, before, nowMs);
  segment.strangers.delete(boot);
  const { mac, standing } = message;
  if (standing.phase === 'left') return [];
  const peer: Peer = {
    node,
    boot,
    mac,
    standing,
    sequences: openWindow(sequence),
    sinceMs: nowMs,
    activeSinceMs: standing.phase === 'active' && !isSick(standing.health) ? nowMs : Infinity,
    heardAtMs: nowMs,
    framedAtMs: by === 'datagram' ? -Infinity : nowMs,
    toldAtMs: nowMs,
    askedInDatagramAtMs: -Infinity,
    question: undefined,
    contestedAtMs: -Infinity,
    pulledAtMs: -Infinity,
    beat: openBeat(nowMs),
    overtaken: new Set(),
    snapshot: undefined,
  };
  segment.peers.set(node, peer);
  segment.preferencesDueAtMs = -Infinity;
  noteHeard(segment, node, nowMs);
  reviewVacanciesSoon(segment, nowMs);
  return [told(node, 'alive'), ...tellAll(segment, peer), ...pullIfBehind(segment, peer, nowMs)];
}

/** Another machine has this node's name. Both would answer for the same addresses, so a newcomer goes on listening. */
function noteNamesake(segment: Segment, { mac }: Message, nowMs: number): Action[] {
  const first = nowMs >= segment.namesakeAtMs + strangerMs(intervalMs(segment));
  segment.namesakeAtMs = nowMs;
  return first ? [{ kind: 'namesake', mac }] : [];
}
