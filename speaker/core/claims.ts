import type { Action, VacancyReason, YieldReason } from './action.ts';
import { emptyDigest, sameDigest, withClaim, withoutClaim } from './digest.ts';
import { chunks, claimsPerMessage, type ClaimItem, type Message } from './message.ts';
import { beats } from './rank.ts';
import {
  claimsOf,
  digestOf,
  type Held,
  holdingOf,
  intervalMs,
  type Move,
  type Peer,
  say,
  type Segment,
  type Vacant,
} from './segment.ts';
import { pullEveryMs } from './timing.ts';

/** Writes who holds an address now, or that nobody does; the one place where claims change. */
function note(segment: Segment, address: string, claim: Held | Vacant): void {
  const before = segment.claims.get(address);
  if (before?.holder !== undefined) {
    const holding = holdingOf(segment, before.holder);
    if (before.holder === segment.node && claim.holder !== segment.node)
      segment.moves.delete(address);
    if (holding?.terms.delete(address) === true) {
      holding.digest = withoutClaim(holding.digest, address, before.term);
      if (holding.terms.size === 0) segment.holdings.delete(before.holder);
    }
  }
  segment.claims.set(address, claim);
  if (claim.holder === undefined) {
    if (segment.candidates.has(address)) segment.vacancies.add(address);
    segment.vacanciesDueAtMs = -Infinity;
    return;
  }
  segment.vacancies.delete(address);
  const holding = holdingOf(segment, claim.holder) ?? { terms: new Map(), digest: emptyDigest };
  holding.terms.set(address, claim.term);
  holding.digest = withClaim(holding.digest, address, claim.term);
  segment.holdings.set(claim.holder, holding);
}

export type Vacancy = {
  readonly reason: VacancyReason;
  readonly from?: string;
  readonly silentMs?: number;
};

/** Nobody holds the address any more; its term is kept, so that the next claim is a better one. */
export function vacate(segment: Segment, address: string, why: Vacancy, nowMs: number): void {
  const term = segment.claims.get(address)?.term ?? 0;
  note(segment, address, { term, sinceMs: nowMs, ...why });
}

/** What nobody holds, and nobody is to hold, is known no longer. */
export function forget(segment: Segment, address: string): void {
  segment.claims.delete(address);
  segment.firstSinceMs.delete(address);
  segment.doubtLeftAtMs.delete(address);
}

export function vacateAll(segment: Segment, node: string, why: Vacancy, nowMs: number): void {
  for (const { address } of claimsOf(segment, node)) {
    vacate(segment, address, why, nowMs);
  }
}

/** This node takes the address, one term above whoever held it before. */
export function claim(segment: Segment, address: string): ClaimItem {
  const term = (segment.claims.get(address)?.term ?? 0) + 1;
  segment.preferencesDueAtMs = -Infinity;
  note(segment, address, { holder: segment.node, term, version: ++segment.version });
  return { address, term };
}

/** This node stops answering for an address that it holds; nobody is told. */
export function drop(segment: Segment, address: string, why: Vacancy, nowMs: number): void {
  segment.version++;
  vacate(segment, address, why, nowMs);
}

export const yieldTo = (address: string, reason: YieldReason, to?: string): Action => ({
  kind: 'yield',
  address,
  reason,
  ...(to === undefined ? {} : { to }),
});

/** Messages that tell these claims of this node. */
export function tellClaims(
  segment: Segment,
  to: Peer | 'all',
  claims: readonly ClaimItem[],
): Action[] {
  return chunks(claims, claimsPerMessage).map((some) =>
    say(segment, to === 'all' ? 'all' : to.mac, {
      kind: 'claims',
      version: segment.version,
      claims: some,
    }),
  );
}

/** Messages that tell a peer all claims of this node, so that it can forget what is not among them. */
export function tellAll(segment: Segment, peer: Peer): Action[] {
  const parts = chunks(claimsOf(segment, segment.node), claimsPerMessage);
  if (parts.length === 0) parts.push([]);
  return parts.map((claims, part) =>
    say(segment, peer.mac, {
      kind: 'claims',
      version: segment.version,
      claims,
      snapshot: { part, parts: parts.length },
    }),
  );
}

/** A peer says what it holds. What beats our own claim ends it at once; what does not is answered with ours. */
export function hearClaims(
  segment: Segment,
  peer: Peer,
  message: Message & { kind: 'claims' },
  nowMs: number,
): Action[] {
  const actions: Action[] = [];
  const worse: ClaimItem[] = [];
  for (const { address, term } of message.claims) {
    const before = segment.claims.get(address);
    const heard: Held = { holder: peer.node, term, version: message.version };
    if (before === undefined || before.holder === undefined) {
      // It answers for the address, and nobody else does: it is the holder, whatever terms it has not heard of.
      note(segment, address, heard);
    } else if (before.holder === peer.node) {
      const newer = term > before.term || message.version >= before.version;
      if (term >= before.term && newer) note(segment, address, heard);
    } else if (beats(address, heard, before)) {
      if (before.holder === segment.node) {
        const reason = yieldReason(segment.moves.get(address));
        if (reason === 'BetterClaim' && segment.hushedSinceMs === undefined)
          segment.doubledOwners++;
        segment.version++;
        actions.push(yieldTo(address, reason, peer.node));
      }
      segment.peers.get(before.holder)?.overtaken.add(address);
      note(segment, address, heard);
    } else if (before.holder === segment.node) {
      worse.push({ address, term: before.term });
    }
  }
  if (message.snapshot !== undefined) hearSnapshot(segment, peer, message, nowMs);
  return [...actions, ...tellClaims(segment, peer, worse)];
}

function yieldReason(move: Move | undefined): YieldReason {
  if (move === undefined) return 'BetterClaim';
  return move.why === 'Sick' ? 'Sick' : 'HandedOver';
}

/** A peer has given an address up. If nobody is to hold it, it will be new when it is planned again. */
function release(segment: Segment, address: string, { node }: Peer, nowMs: number): void {
  vacate(segment, address, { reason: 'Released', from: node }, nowMs);
  if (!segment.candidates.has(address)) forget(segment, address);
}

/** With its last part in, a snapshot ends every older claim of the peer that is not part of it. */
function hearSnapshot(
  segment: Segment,
  peer: Peer,
  { version, claims, snapshot }: Message & { kind: 'claims' },
  nowMs: number,
): void {
  if (snapshot === undefined) return;
  if (peer.snapshot?.version !== version) {
    peer.snapshot = { version, parts: new Set(), addresses: new Set() };
  }
  peer.snapshot.parts.add(snapshot.part);
  for (const { address } of claims) peer.snapshot.addresses.add(address);
  if (peer.snapshot.parts.size < snapshot.parts) return;
  const { addresses } = peer.snapshot;
  peer.snapshot = undefined;
  for (const { address } of claimsOf(segment, peer.node)) {
    const known = segment.claims.get(address);
    if (addresses.has(address) || known?.holder !== peer.node || known.version > version) continue;
    release(segment, address, peer, nowMs);
  }
}

/** A peer says what it holds no longer. */
export function hearRelease(
  segment: Segment,
  peer: Peer,
  message: Message & { kind: 'release' },
  nowMs: number,
): void {
  for (const { address, term } of message.claims) {
    const known = segment.claims.get(address);
    if (known?.holder === peer.node && known.term <= term && known.version <= message.version) {
      release(segment, address, peer, nowMs);
    }
  }
}

/** Whether all that a peer said it holds has been heard. */
export const isInStep = (segment: Segment, peer: Peer): boolean =>
  sameDigest(peer.standing.claims, digestOf(segment, peer.node));

/** Asks a peer for its claims where its pulse sums up others than those heard. */
export function pullIfBehind(segment: Segment, peer: Peer, nowMs: number): Action[] {
  if (isInStep(segment, peer)) return [];
  if (nowMs - peer.pulledAtMs < pullEveryMs(intervalMs(segment))) return [];
  peer.pulledAtMs = nowMs;
  return [say(segment, peer.mac, { kind: 'pull' })];
}

/** Tells all that this node holds these no longer. */
export const tellReleased = (segment: Segment, claims: readonly ClaimItem[]): Action[] =>
  chunks(claims, claimsPerMessage).map((some) =>
    say(segment, 'all', { kind: 'release', version: segment.version, claims: some }),
  );
