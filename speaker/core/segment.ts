import type { Mac } from '../../net/mac.ts';
import type { Action, Phase, Roster, VacancyReason } from './action.ts';
import type { Beat } from './beat.ts';
import { emptyDigest } from './digest.ts';
import type { Health } from './health.ts';
import type { ClaimItem, Destination, Digest, Message, Standing } from './message.ts';
import type { Candidate } from './rank.ts';
import type { SequenceWindow } from './replay.ts';
import { gatherMs, pulseIntervalMs } from './timing.ts';

/**
 * What one node knows of one segment, the broadcast domain behind one of its links: which peers live there, who holds
 * which address, and what is under way. Changed by `step` only.
 */
export type Segment = {
  readonly node: string;
  /** Told apart from an earlier life of the same node by this random number. */
  readonly boot: bigint;
  readonly shortestPulseMs: number;
  readonly random: () => bigint;
  mac: Mac;
  health: Health;
  phase: Phase;
  phaseSinceMs: number;
  /** Set while peers are being asked whether they took over during a stall. */
  hushedSinceMs: number | undefined;
  /** Who came during a stall is not known and cannot be asked; until then it has been heard. */
  hushedAtLeastUntilMs: number;
  steppedAtMs: number;
  nextPulseAtMs: number;

  readonly peers: Map<string, Peer>;
  /** When another sender last used this node's name. */
  namesakeAtMs: number;
  /** Senders that have not yet answered a question of ours, by boot. */
  readonly strangers: Map<bigint, Stranger>;

  /** Who has a speaker here, as the API has it; who of them was heard; who said that it does not announce here. */
  roster: Roster;
  readonly heard: Set<string>;
  readonly absent: Set<string>;
  /** The rest: they may hold addresses. Since when this and the peers have been the same. */
  unheard: ReadonlySet<string>;
  doubtSinceMs: number;
  readonly openedAtMs: number;
  /** Addresses that an unheard node may hold, and since when this one is the first of all that may. */
  readonly firstSinceMs: Map<string, number>;
  /** When an address left the plan of the last unheard node that may still hold it. */
  readonly doubtLeftAtMs: Map<string, number>;
  askUnheardAtMs: number;
  askNonce: bigint;
  /** Who hears no frames of this node, and where it is told things instead. */
  readonly deaf: Map<Mac, { readonly udp: string; readonly untilMs: number }>;

  readonly candidates: Map<string, readonly Candidate[]>;
  readonly siblings: Map<string, readonly string[]>;
  /** The best claim heard for each address, or how it became vacant. */
  readonly claims: Map<string, Held | Vacant>;
  /** The same by holder, this node included. */
  readonly holdings: Map<string, Holding>;
  /** Counts the changes of this node's own claims. */
  version: number;
  /** Planned addresses that nobody holds. */
  readonly vacancies: Set<string>;
  /** When the vacancies are to be looked at again, and since when the candidates have been the same. */
  vacanciesDueAtMs: number;
  candidatesSinceMs: number;
  /** What the peer that was buried last held when it was last heard, whoever has taken it since. */
  estate: Estate;
  /** Addresses on their way to an heir. */
  readonly moves: Map<string, Move>;
  /** Addresses that this node took because their holder did not answer for them: whose they were, and when. */
  readonly unanswered: Map<string, { readonly from: string; readonly atMs: number }>;
  /** When nodes that the plan prefers are to be looked for among the peers. */
  preferencesDueAtMs: number;

  /** Counted for people: pulses of peers that did not come, and addresses that this node and a peer both answered for. */
  pulsesLost: number;
  doubledOwners: number;
};

export type Peer = {
  readonly node: string;
  readonly boot: bigint;
  readonly sequences: SequenceWindow;
  readonly sinceMs: number;
  mac: Mac;
  standing: Standing;
  heardAtMs: number;
  /** When it was last heard in a frame; datagrams do not count. */
  framedAtMs: number;
  /** When it last said where it stands. */
  toldAtMs: number;
  /** Since when it has been active and not sick; Infinity while it is not so. */
  activeSinceMs: number;
  /** When it was last asked in a datagram: for `deafMs` it knows that we hear no frames of it. */
  askedInDatagramAtMs: number;
  /** Asked and not answered yet: silent, or checked after a stall of our own, or because another uses its name. */
  question: Question | undefined;
  /** When it last answered although another uses its name. */
  contestedAtMs: number;
  pulledAtMs: number;
  readonly beat: Beat;
  /** What others have claimed over it since it was last heard: they may have found it dead earlier. */
  readonly overtaken: Set<string>;
  snapshot:
    | { version: number; readonly parts: Set<number>; readonly addresses: Set<string> }
    | undefined;
};

export type Question = {
  readonly nonce: bigint;
  readonly why: 'Silent' | 'Stalled' | 'Contested';
  readonly firstAtMs: number;
  /** When it is to be asked the next time. */
  againAtMs: number;
};

export type Stranger = {
  readonly node: string;
  readonly nonce: bigint;
  readonly sinceMs: number;
  askedAtMs: number;
  /** What it answered, once it has. */
  proof: Proof | undefined;
};

/** An answer to a question of ours: whoever sent it is alive now. */
type Proof = {
  readonly boot: bigint;
  readonly sequence: bigint;
  readonly message: Message & { readonly kind: 'answer' };
  readonly by?: 'datagram';
};

export type Held = { readonly holder: string; readonly term: number; readonly version: number };
export type Vacant = {
  readonly holder?: undefined;
  readonly term: number;
  readonly sinceMs: number;
  readonly reason: VacancyReason;
  readonly from?: string;
  readonly silentMs?: number;
};

type Estate = { readonly sinceMs: number; readonly addresses: Set<string> };

type Holding = { readonly terms: Map<string, number>; digest: Digest };

/** An address that this node gives away: to whom, and since when that heir has been asked. */
export type Move = {
  /** A preferred node, or a well one, gets it if it wants it; what must go is dropped where nobody takes it. */
  readonly why: 'Preferred' | 'Sick' | 'Unwanted';
  readonly tried: Set<string>;
  heir: string | undefined;
  askedAtMs: number;
  asks: number;
};

/** A move that nobody has been asked about yet. */
export const newMove = (why: Move['why']): Move => ({
  why,
  tried: new Set(),
  heir: undefined,
  askedAtMs: -Infinity,
  asks: 0,
});

/** A node that has just started: it listens, and holds nothing. */
export function openSegment(self: {
  node: string;
  mac: Mac;
  boot: bigint;
  shortestPulseMs: number;
  random: () => bigint;
  nowMs: number;
}): Segment {
  const { nowMs, ...identity } = self;
  return {
    ...identity,
    health: 'well',
    phase: 'listening',
    phaseSinceMs: nowMs,
    hushedSinceMs: undefined,
    hushedAtLeastUntilMs: -Infinity,
    steppedAtMs: nowMs,
    nextPulseAtMs: nowMs,
    peers: new Map(),
    strangers: new Map(),
    roster: new Map(),
    heard: new Set(),
    absent: new Set(),
    unheard: new Set(),
    doubtSinceMs: nowMs,
    openedAtMs: nowMs,
    firstSinceMs: new Map(),
    doubtLeftAtMs: new Map(),
    askUnheardAtMs: Infinity,
    askNonce: 0n,
    deaf: new Map(),
    candidates: new Map(),
    siblings: new Map(),
    claims: new Map(),
    holdings: new Map(),
    version: 0,
    vacancies: new Set(),
    vacanciesDueAtMs: Infinity,
    candidatesSinceMs: nowMs,
    estate: { sinceMs: -Infinity, addresses: new Set() },
    namesakeAtMs: -Infinity,
    moves: new Map(),
    unanswered: new Map(),
    preferencesDueAtMs: Infinity,
    pulsesLost: 0,
    doubledOwners: 0,
  };
}

export const intervalMs = (segment: Segment): number =>
  pulseIntervalMs(segment.shortestPulseMs, segment.peers.size + 1);

export const holdingOf = (segment: Segment, node: string): Holding | undefined =>
  segment.holdings.get(node);

export const digestOf = (segment: Segment, node: string): Digest =>
  segment.holdings.get(node)?.digest ?? emptyDigest;

/** What a node holds, listed: safe to walk while claims change. */
export const claimsOf = (segment: Segment, node: string): ClaimItem[] =>
  Array.from(segment.holdings.get(node)?.terms ?? [], ([address, term]) => ({ address, term }));

export const loadOf = (segment: Segment, node: string): number =>
  segment.holdings.get(node)?.terms.size ?? 0;

/** Who may take a vacant address has changed: each has its turn anew. */
export function reviewVacancies(segment: Segment, nowMs: number): void {
  segment.vacanciesDueAtMs = -Infinity;
  segment.candidatesSinceMs = nowMs;
}

/** The same for news that may come from many peers at once, and that nobody waits for. */
export function reviewVacanciesSoon(segment: Segment, nowMs: number): void {
  const dueAtMs = nowMs + gatherMs(intervalMs(segment));
  segment.vacanciesDueAtMs = Math.min(segment.vacanciesDueAtMs, dueAtMs);
  segment.candidatesSinceMs = nowMs;
}

export const isCandidate = (segment: Segment, address: string): boolean =>
  (segment.candidates.get(address) ?? []).some(({ node }) => node === segment.node);

export const isHolding = (segment: Segment, address: string): boolean =>
  segment.claims.get(address)?.holder === segment.node;

export function standingOf(segment: Segment): Standing {
  const { phase, health } = segment;
  return {
    phase: phase === 'down' ? 'listening' : phase,
    health,
    intervalMs: intervalMs(segment),
    claims: digestOf(segment, segment.node),
  };
}

/** A message's body; who sends it is filled in by `say`. */
type Body = Message extends infer M ? (M extends Message ? Omit<M, 'node' | 'mac'> : never) : never;

export function say(segment: Segment, to: Destination, body: Body): Action {
  return { kind: 'send', to, message: { node: segment.node, mac: segment.mac, ...body } };
}
