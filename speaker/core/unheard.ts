import type { Action, Candidates, Listed, Roster } from './action.ts';
import { canTake } from './contest.ts';
import { drop, tellReleased, yieldTo } from './claims.ts';
import type { Message } from './message.ts';
import { type Contender, firstOf, groundOf, runnerOf } from './rank.ts';
import {
  claimsOf,
  intervalMs,
  type Peer,
  reviewVacancies,
  say,
  type Segment,
  type Vacant,
} from './segment.ts';
import {
  askUnheardMs,
  deafMs,
  doubtedHoldMs,
  doubtedTakeMs,
  hearAnyMs,
  startTogetherMs,
  suspectAfterMs,
} from './timing.ts';

/**
 * Unheard is not dead. Some switches pass ARP and IP and drop what they do not know: nodes behind them that have never
 * heard each other would each take every address. So the API's word on who has a speaker on this segment is compared
 * with who was heard. Who is missing is asked in datagrams; who answers is a peer like any other, in datagrams. Who does
 * not answer may hold any address that it is a candidate for, until the API says that its node is not ready.
 */

/** The API's view of the segment. Who is new on it is asked soon, once those that can be heard have been. */
export function adoptRoster(segment: Segment, roster: Roster, nowMs: number): void {
  if (sameRoster(segment.roster, roster)) return;
  segment.roster = roster;
  for (const node of segment.peers.keys()) {
    if (mayLive(roster.get(node))) segment.heard.add(node);
  }
  for (const known of [segment.heard, segment.absent]) {
    for (const node of known) if (!mayLive(roster.get(node))) known.delete(node);
  }
  askUnheardSoon(segment, nowMs);
  reviewDoubt(segment, nowMs);
}

/** As soon as those that can be heard have been. */
export function askUnheardSoon(segment: Segment, nowMs: number): void {
  const soonMs = nowMs + hearAnyMs(intervalMs(segment));
  segment.askUnheardAtMs = Math.min(segment.askUnheardAtMs, soonMs);
}

const sameRoster = (a: Roster, b: Roster): boolean =>
  a.size === b.size &&
  [...a].every(([node, { udp, state }]) => {
    const other = b.get(node);
    return other?.udp === udp && other.state === state;
  });

/** Whether the node may hold addresses here without this one knowing. */
function isUnheard(segment: Segment, node: string, nowMs: number): boolean {
  const { roster, heard, absent, peers, openedAtMs } = segment;
  if (heard.has(node) || absent.has(node) || peers.has(node)) return false;
  const state = roster.get(node)?.state;
  return state === 'Ready' || (state === 'NotReady' && nowMs < openedAtMs + startTogetherMs);
}

const mayLive = (listed: Listed | undefined): boolean =>
  listed !== undefined && listed.state !== 'NodeLost';

/** Notes who is unheard now. Addresses that one of them may hold are decided by rank over the API's view alone. */
export function reviewDoubt(segment: Segment, nowMs: number): void {
  segment.doubtSinceMs = nowMs;
  findUnheard(segment, nowMs);
}

function findUnheard(segment: Segment, nowMs: number): void {
  const unheard = [...segment.roster.keys()].filter((node) => isUnheard(segment, node, nowMs));
  const { unheard: before } = segment;
  if (unheard.length === before.size && unheard.every((node) => before.has(node))) return;
  segment.unheard = new Set(unheard);
  segment.doubtSinceMs = nowMs;
  reviewVacancies(segment, nowMs);
}

export function noteHeard(segment: Segment, node: string, nowMs: number): void {
  segment.absent.delete(node);
  // Also who is not listed yet: without an API server, the list comes seconds after the first frames.
  if (segment.roster.get(node)?.state !== 'NodeLost') segment.heard.add(node);
  reviewDoubt(segment, nowMs);
}

/** The node's speaker answers that it does not announce on this segment. */
export function hearAbsent(segment: Segment, { node, nonce }: Absent, nowMs: number): void {
  if (nonce !== segment.askNonce || !segment.roster.has(node)) return;
  segment.absent.add(node);
  reviewDoubt(segment, nowMs);
}

type Absent = Message & { readonly kind: 'absent' };

export const isDoubted = (segment: Segment, address: string): boolean =>
  segment.unheard.size > 0 &&
  (segment.candidates.get(address) ?? []).some(({ node }) => segment.unheard.has(node));

/**
 * Who holds a doubted address: the first of all that live or may live, by score and lot. Every node that sees the same
 * API comes to the same answer, whoever hears whom; what only some know, such as loads, claims
 * and who is sick, does not count.
 */
function firstInDoubt(segment: Segment, address: string): string | undefined {
  const contenders = (segment.candidates.get(address) ?? []).flatMap(
    ({ node, score }): Contender[] => {
      const there = node === segment.node || segment.peers.has(node) || segment.unheard.has(node);
      return there ? [{ score, isSick: false, runner: runnerOf(node, 0) }] : [];
    },
  );
  return firstOf(contenders, groundOf(address))?.runner.node;
}

/**
 * When this node takes a doubted address that nobody is known to hold: at once where it is new, and else when whoever
 * held it before must have given it up.
 */
export function takesDoubtedAtMs(
  segment: Segment,
  address: string,
  { reason, sinceMs }: Vacant,
  nowMs: number,
): number {
  if (firstInDoubt(segment, address) !== segment.node || !canTake(segment, segment.node)) {
    segment.firstSinceMs.delete(address);
    return Infinity;
  }
  const isNew = reason === 'Unclaimed' && sinceMs === nowMs;
  const firstSinceMs = segment.firstSinceMs.get(address) ?? (isNew ? -Infinity : nowMs);
  segment.firstSinceMs.set(address, firstSinceMs);
  return Math.max(segment.doubtSinceMs, firstSinceMs) + doubtedTakeMs;
}

/** A new plan may reach an unheard node later than this one: what it may hold by the old one is not free at once. */
export function leaveDoubt(segment: Segment, next: Candidates, nowMs: number): void {
  if (segment.unheard.size === 0) return;
  for (const [address, candidates] of next) {
    if (!isDoubted(segment, address)) continue;
    if (candidates.some(({ node }) => segment.unheard.has(node))) continue;
    segment.doubtLeftAtMs.set(address, nowMs);
  }
}

/**
 * When an address that an unheard node may hold by an earlier plan is free to be taken; -Infinity for any other. What the
 * plans before this node's start said, it does not know.
 */
export function freeAtMs({ doubtLeftAtMs, unheard, openedAtMs }: Segment, address: string): number {
  const leftAtMs = doubtLeftAtMs.get(address) ?? (unheard.size > 0 ? openedAtMs : -Infinity);
  return leftAtMs + doubtedTakeMs;
}

/** Gives up what an unheard node holds by now, if it is there. What a peer should hold is moved as planned. */
function yieldDoubted(segment: Segment, nowMs: number): Action[] {
  if (segment.unheard.size === 0 || nowMs < segment.doubtSinceMs + doubtedHoldMs) return [];
  const given = claimsOf(segment, segment.node).filter(({ address }) => {
    const first = isDoubted(segment, address) ? firstInDoubt(segment, address) : undefined;
    return first !== undefined && segment.unheard.has(first);
  });
  const actions = given.map(({ address }) => {
    drop(segment, address, { reason: 'Released' }, nowMs);
    return yieldTo(address, 'Unheard', firstInDoubt(segment, address));
  });
  return [...actions, ...tellReleased(segment, given)];
}

/** Asks those of whom no frame comes, in datagrams: whether they are there, and to answer in datagrams. */
export function askUnheard(segment: Segment, nowMs: number): Action[] {
  if (nowMs < segment.askUnheardAtMs) return [];
  segment.askUnheardAtMs =
    segment.roster.size === 0 ? Infinity : nowMs + askUnheardMs(segment.roster.size);
  for (const [mac, { untilMs }] of segment.deaf) if (nowMs >= untilMs) segment.deaf.delete(mac);
  findUnheard(segment, nowMs);
  const silent = [...segment.roster].filter(([node]) => !hearsFramesOf(segment, node, nowMs));
  if (silent.length === 0) return [];
  segment.askNonce = segment.random();
  const actions = silent.map(([node, { udp }]) => {
    const peer = segment.peers.get(node);
    if (peer !== undefined) peer.askedInDatagramAtMs = nowMs;
    return say(segment, { udp }, { kind: 'ask', nonce: segment.askNonce });
  });
  return [...actions, ...yieldDoubted(segment, nowMs)];
}

function hearsFramesOf({ peers }: Segment, node: string, nowMs: number): boolean {
  const peer = peers.get(node);
  return peer !== undefined && nowMs < peer.framedAtMs + suspectAfterMs(peer.standing.intervalMs);
}

/** A question in a datagram says: I hear no frames of yours. For a while the sender is told everything in datagrams. */
export function noteDeaf(segment: Segment, { node, mac }: Message, nowMs: number): void {
  const udp = segment.roster.get(node)?.udp;
  if (udp === undefined) return;
  // If no frame of it comes either, its datagrams must not hide that: it has to know, too.
  const peer = segment.peers.get(node);
  const knows = peer !== undefined && nowMs < peer.askedInDatagramAtMs + deafMs;
  if (!knows && !hearsFramesOf(segment, node, nowMs)) askUnheardSoon(segment, nowMs);
  segment.deaf.set(mac, { udp, untilMs: nowMs + deafMs });
}

/**
 * Brings to those who hear no frames what the others hear. Frames go to them, too: who asks for a lost one in a datagram
 * hears the next, and datagrams to it may end in a firewall.
 */
export function reachDeaf(segment: Segment, actions: readonly Action[]): readonly Action[] {
  if (segment.deaf.size === 0) return actions;
  return actions.flatMap((action): Action[] => {
    if (action.kind !== 'send' || typeof action.to === 'object') return [action];
    const { to, message } = action;
    const concerned = to === 'all' ? [...segment.deaf.keys()] : [to];
    const copies = concerned.flatMap((mac): Action[] => {
      const udp = segment.deaf.get(mac)?.udp;
      return udp === undefined ? [] : [{ kind: 'send', to: { udp }, message }];
    });
    return [action, ...copies];
  });
}

/** A peer that seems dead is asked both ways, so that a switch that begins to drop frames kills nobody. */
export function askBothWays(segment: Segment, peer: Peer, nonce: bigint): Action[] {
  const udp = segment.roster.get(peer.node)?.udp;
  const question = { kind: 'ask', nonce } as const;
  const frame = say(segment, peer.mac, question);
  return udp === undefined || segment.deaf.has(peer.mac)
    ? [frame]
    : [frame, say(segment, { udp }, question)];
}
