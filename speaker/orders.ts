import type { MessagePort } from 'node:worker_threads';
import type { NodeNetworkStatus } from '../crds/node-network.ts';
import type { Mac } from '../net/mac.ts';
import type { AnswerTimeCounts } from './answer-times.ts';
import type { HoldReason, PeerState, Phase, YieldReason } from './core/action.ts';
import type { Health } from './core/health.ts';
import type { Finding } from './exam.ts';
import type { GuardFact } from './guard.ts';
import type { Unfit } from './io/kernel-responder.ts';
import type { PlanChange } from './plan-change.ts';
import type { PulseKeys } from './pulse-keys.ts';
import type { Speaker } from './roster.ts';

/** What the wire thread is started with. */
export type WireStart = {
  readonly node: string;
  readonly keys: PulseKeys;
  readonly shortestPulseMs: number;
  /** How often each address that another node holds is asked for on the wire; 0: never. */
  readonly witnessSeconds: number;
  /** The wait after each probe for an address before its first use; 0: none is probed. */
  readonly probeMs: number;
  /** Where speakers talk when a switch drops their frames; 0: nowhere. */
  readonly pulsePort: number;
  /** The links to announce on; undefined: all but those that match `excludedLinks`. */
  readonly links: readonly string[] | undefined;
  readonly excludedLinks: readonly RegExp[];
  /** Who is to answer questions: the kernel, this process through a packet socket, or whichever can, in this order. */
  readonly responder: 'auto' | 'kernel' | 'packet';
  /** Whether these checks are made: a node that fails one comes last. */
  readonly checksKubeProxy: boolean;
  readonly checksGateway: boolean;
  readonly orders: MessagePort;
  /** Until when the main thread was last alive, in nanoseconds of the monotonic clock. */
  readonly mainAliveUntil: BigUint64Array;
};

/** What can be checked of a node, on request. */
export type CheckName = 'KubeProxy' | 'Gateway';

export type Diagnosis = {
  readonly health: Health;
  /** What went wrong last, in words. */
  readonly detail: string | undefined;
};

/** What the main thread tells the wire thread. */
export type Order =
  | { readonly kind: 'plan'; readonly change: PlanChange; readonly speakers: readonly Speaker[] }
  /** What the check of this node's kube-proxy says. */
  | { readonly kind: 'kubeProxy'; readonly diagnosis: Diagnosis }
  /** The file has other keys now. */
  | { readonly kind: 'keys'; readonly keys: PulseKeys }
  /** Hand everything over; the answer is the fact `left`. */
  | { readonly kind: 'leave' }
  | { readonly kind: 'stop' };

/** What the wire thread tells the main thread, after the fact. */
export type Fact =
  /** Orders wake the thread through this descriptor. */
  | { readonly kind: 'ready'; readonly wakerFd: number }
  | {
      readonly kind: 'joined';
      readonly link: string;
      readonly mac: Mac;
      readonly responder: 'kernel' | 'packet';
    }
  /** The kernel was to answer on this link if it can, and cannot. Told once for each reason. */
  | {
      readonly kind: 'unfit';
      readonly link: string;
      readonly reason: Unfit['reason'];
      readonly detail: string;
    }
  | { readonly kind: 'gone'; readonly link: string }
  /** The link has another MAC: what is held on it is answered for with that one now. */
  | { readonly kind: 'mac'; readonly link: string; readonly mac: Mac }
  /** Links that the settings name and this machine does not have now; empty: all are there again. */
  | { readonly kind: 'absent'; readonly links: readonly string[] }
  /** Where this node stands, on all links that announce. */
  | { readonly kind: 'networks'; readonly networks: NodeNetworkStatus }
  | { readonly kind: 'phase'; readonly link: string; readonly phase: Phase }
  | {
      readonly kind: 'peer';
      readonly link: string;
      readonly node: string;
      readonly state: PeerState;
    }
  | Held
  | {
      readonly kind: 'yielded';
      readonly link: string;
      readonly address: string;
      readonly reason: YieldReason;
      readonly to?: string;
    }
  /** This node stood still, and answered nothing until its peers had said who holds what. */
  | { readonly kind: 'stalled'; readonly link: string; readonly hushedMs: number }
  /** A check of this node, made for this link, says something else than before. */
  | ({ readonly kind: 'health'; readonly link: string; readonly check: CheckName } & Diagnosis)
  /** Another machine uses this node's name. */
  | { readonly kind: 'namesake'; readonly link: string; readonly mac: Mac }
  | Witnessed
  /** What another station has to do with an address that is claimed here. */
  | (GuardFact & { readonly link: string })
  /** So many groups could not be joined: the link has no IPv6. */
  | { readonly kind: 'deaf'; readonly link: string; readonly groups: number }
  /** Two links of this node lie on one segment: this one stays silent. */
  | { readonly kind: 'sibling'; readonly link: string; readonly mac: Mac }
  | {
      readonly kind: 'counts';
      readonly counts: readonly LinkCounts[];
      readonly answerTimes: AnswerTimeCounts;
    }
  | { readonly kind: 'left' };

export type Held = {
  readonly kind: 'held';
  readonly link: string;
  readonly mac: Mac;
  readonly address: string;
  readonly term: number;
  readonly reason: HoldReason;
  readonly from?: string;
  /** How long the holder before had been silent when it was found dead. */
  readonly silentMs?: number;
  /** From finding it dead to the decision to take the address over. */
  readonly decisionMs?: number;
  /** From the decision, or the end of probing, to the last byte of the first announcement. */
  readonly takeoverMs: number;
};

/** This node asked on the wire for an address that another one holds: what came of it, when that begins, changes or is over. */
export type Witnessed = {
  readonly kind: 'witnessed';
  readonly link: string;
  readonly address: string;
  readonly finding: Finding;
  readonly holder: string;
  readonly term: number;
  /** Who else answers. */
  readonly others: readonly Mac[];
};

/** What one link has seen since its session began. */
export type LinkCounts = {
  readonly link: string;
  readonly peers: number;
  readonly held: number;
  readonly questions: number;
  readonly answers: number;
  /** Those of the answers that the kernel gave. */
  readonly kernelAnswers: number;
  readonly announcements: number;
  /** Frames of the speakers' own type that no key of ours had sealed, or that made no sense. */
  readonly refused: number;
  /** Pulses of peers that were due and did not come. */
  readonly pulsesLost: number;
  /** Addresses given up to a better claim while both nodes answered for them. */
  readonly doubledOwners: number;
  /** Questions for addresses that others hold. */
  readonly witnessed: number;
  /** Claims of other stations to addresses that are claimed here. */
  readonly foreignClaims: number;
  /** Addresses that are claimed and not answered for, because another station has them. */
  readonly quarantined: number;
};

/** A fact of one link, which the session of the link fills in. */
export type LinkFact = WithoutLink<Fact>;

type WithoutLink<F> = F extends { readonly link: string } ? Omit<F, 'link'> : never;
