import type { Action } from './action.ts';
import { claim, drop, tellClaims, tellReleased, yieldTo } from './claims.ts';
import { chunks, claimsPerMessage, type ClaimItem, type Message } from './message.ts';
import { firstOf } from './rank.ts';
import { isCandidate, type Move, newMove, type Peer, say, type Segment } from './segment.ts';
import { canTake, Contest, healthOf } from './contest.ts';
import { isPreferred } from './preferences.ts';
import { handoverRepeatMs, handoverRepeats, preferenceHoldMs, reliefAgainMs } from './timing.ts';

/** Puts on their way those of these held addresses that this node should not hold: all of them when it leaves. */
export function planMoves(segment: Segment, held: Iterable<{ readonly address: string }>): void {
  for (const { address } of held) {
    if (segment.phase !== 'leaving' && isCandidate(segment, address)) {
      segment.moves.delete(address);
    } else if (segment.moves.get(address)?.why !== 'Unwanted') {
      segment.moves.set(address, newMove('Unwanted'));
    }
  }
}

/**
 * Planned moves, made before they are broken: the heir is asked, takes the address with a better claim and announces
 * it; hearing that claim, the holder stops. Until then it goes on answering.
 */
export function moveAlong(segment: Segment, nowMs: number): Action[] {
  if (segment.moves.size === 0) return [];
  const actions: Action[] = [];
  const asked = new Map<string, ClaimItem[]>();
  const dropped: ClaimItem[] = [];
  const contest = new Contest(segment);
  for (const [address, move] of segment.moves) {
    if (nowMs < move.askedAtMs + handoverRepeatMs) continue;
    const term = segment.claims.get(address)?.term ?? 0;
    move.heir = nextHeir(segment, { address, move, contest }, nowMs);
    move.asks++;
    move.askedAtMs = nowMs;
    if (move.heir !== undefined) {
      asked.set(move.heir, [...(asked.get(move.heir) ?? []), { address, term }]);
    } else if (move.why !== 'Unwanted') {
      segment.moves.delete(address);
      const againMs = move.why === 'Preferred' ? preferenceHoldMs : reliefAgainMs;
      segment.preferencesDueAtMs = Math.min(segment.preferencesDueAtMs, nowMs + againMs);
    } else if (!isCandidate(segment, address)) {
      drop(segment, address, { reason: 'Released' }, nowMs);
      actions.push(yieldTo(address, 'NoLongerCandidate'));
      dropped.push({ address, term });
    }
  }
  for (const [node, claims] of asked) {
    const peer = segment.peers.get(node);
    if (peer === undefined) continue;
    for (const some of chunks(claims, claimsPerMessage)) {
      actions.push(say(segment, peer.mac, { kind: 'handover', claims: some }));
    }
  }
  return [...actions, ...tellReleased(segment, dropped)];
}

/** The heir asked before, once more, or the next in rank where that one does not answer. */
function nextHeir(
  segment: Segment,
  { address, move, contest }: { address: string; move: Move; contest: Contest },
  nowMs: number,
): string | undefined {
  const { heir, asks, tried } = move;
  if (heir !== undefined && canTake(segment, heir) && asks < handoverRepeats) return heir;
  if (heir !== undefined) tried.add(heir);
  move.asks = 0;
  const others = contest.settled(address).contenders.filter(({ score, runner: { node } }) => {
    if (node === segment.node || tried.has(node)) return false;
    switch (move.why) {
      case 'Unwanted':
        return true;
      case 'Sick':
        return healthOf(segment, node) === 'well';
      case 'Preferred':
        return isPreferred(segment, address, { node, score }, nowMs);
    }
  });
  const next = firstOf(others, contest.ground(address))?.runner;
  if (next !== undefined) contest.give(address, next);
  return next?.node;
}

/** A holder asks this node to take over. A question repeated is answered again. */
export function hearHandover(
  segment: Segment,
  peer: Peer,
  { claims }: Message & { kind: 'handover' },
): Action[] {
  const actions: Action[] = [];
  const taken: ClaimItem[] = [];
  for (const { address, term } of claims) {
    const known = segment.claims.get(address);
    if (known?.holder === segment.node && known.term > term) {
      taken.push({ address, term: known.term });
      continue;
    }
    const current = known?.holder === peer.node && known.term === term;
    if (!current || !canTake(segment, segment.node) || !isCandidate(segment, address)) continue;
    const mine = claim(segment, address);
    taken.push(mine);
    actions.push({ kind: 'hold', ...mine, reason: 'HandedOver', from: peer.node });
  }
  return [...actions, ...tellClaims(segment, 'all', taken)];
}

/** When a move has to be looked at again. */
export function movesDueAtMs(segment: Segment): number {
  let dueAtMs = Infinity;
  for (const { askedAtMs, heir } of segment.moves.values()) {
    if (heir !== undefined) dueAtMs = Math.min(dueAtMs, askedAtMs + handoverRepeatMs);
  }
  return dueAtMs;
}
