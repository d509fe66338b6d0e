import type { Mac } from '../../net/mac.ts';
import type { Health } from './health.ts';
import type { Destination, Message } from './message.ts';
import type { Candidate } from './rank.ts';

/** Who may hold each address, as the plan has it; the address is its canonical text. */
export type Candidates = ReadonlyMap<string, readonly Candidate[]>;

/** What differs between two plans: addresses that are new or have other candidates, and those that are planned no more. */
export type Amendment = { readonly put: Candidates; readonly removed: readonly string[] };

/** The nodes with a speaker on this segment, as the API has it. */
export type Roster = ReadonlyMap<string, Listed>;

export type Listed = {
  /** The IP address at which datagrams reach it. */
  readonly udp: string;
  /** Its speaker is ready; or is not, and may be starting just as this one; or its node is not heard of. */
  readonly state: 'Ready' | 'NotReady' | 'NodeLost';
};

/** The other addresses of the same Service, of those that have several: each is better on a node of its own. */
export type Siblings = ReadonlyMap<string, readonly string[]>;

/** What happens to a segment. */
export type Event =
  /** A frame, or a datagram, with a valid signature; `boot` and `sequence` come from its envelope. */
  | {
      readonly kind: 'frame';
      readonly boot: bigint;
      readonly sequence: bigint;
      readonly message: Message;
      readonly by?: 'datagram';
    }
  | {
      readonly kind: 'plan';
      readonly candidates: Candidates;
      readonly roster?: Roster;
      readonly siblings?: Siblings;
    }
  /** The same by what differs from the plan before; `siblings` are those of the addresses in `put`. */
  | (Amendment & {
      readonly kind: 'amendment';
      readonly roster?: Roster;
      readonly siblings?: Siblings;
    })
  | { readonly kind: 'link'; readonly up: boolean; readonly mac: Mac }
  /** What this node's checks say of it, here. */
  | { readonly kind: 'health'; readonly health: Health }
  /** This node, as the witness of an address, has asked for it again and again, and its holder does not answer. */
  | Unanswered
  /** Hand everything over and go. */
  | { readonly kind: 'leave' }
  | { readonly kind: 'tick' };

export type Unanswered = {
  readonly kind: 'unanswered';
  readonly address: string;
  /** The claim that it was asked under. */
  readonly holder: string;
  readonly term: number;
};

/** Why an address has no holder, and so why its next holder takes it. */
export type VacancyReason =
  | 'Unclaimed'
  | 'HolderDied'
  | 'HolderRestarted'
  | 'HolderLeft'
  | 'HolderLinkDown'
  | 'Released'
  | 'LinkReturned';
export type HoldReason = VacancyReason | 'HandedOver' | 'Unanswered';
export type YieldReason =
  | 'BetterClaim'
  | 'HandedOver'
  /** Handed over, because the checks of this node fail. */
  | 'Sick'
  | 'Withdrawn'
  | 'NoLongerCandidate'
  | 'LinkDown'
  | 'NameTaken'
  /** A node that was never heard may hold it: the API lists it, and it ranks first. */
  | 'Unheard'
  | 'Leaving';

/** What is to be done about it, in this order. */
export type Action =
  | { readonly kind: 'send'; readonly to: Destination; readonly message: Message }
  /** Answer for the address from now on, and tell the neighbours. */
  | {
      readonly kind: 'hold';
      readonly address: string;
      readonly term: number;
      readonly reason: HoldReason;
      readonly from?: string;
      /** How long the holder before had been silent when it was found dead. */
      readonly silentMs?: number;
      /** How long after that this node took the address. */
      readonly decisionMs?: number;
    }
  /** Answer no more for the address. */
  | {
      readonly kind: 'yield';
      readonly address: string;
      readonly reason: YieldReason;
      readonly to?: string;
    }
  /** Answer nothing until `speak`: this node may have been declared dead without noticing. */
  | { readonly kind: 'hush' }
  | { readonly kind: 'speak' }
  | { readonly kind: 'peer'; readonly node: string; readonly state: PeerState }
  /** Another sender uses this node's name. */
  | { readonly kind: 'namesake'; readonly mac: Mac }
  | { readonly kind: 'phase'; readonly phase: Phase };

export type PeerState = 'alive' | 'suspect' | 'dead' | 'restarted' | 'left';
/** `down`: the link is. `left`: everything is handed over. */
export type Phase = 'down' | 'listening' | 'active' | 'leaving' | 'left';
