import type { Mac } from '../net/mac.ts';
import type { Detour } from './detours.ts';
import type { KernelResponder } from './io/kernel-responder.ts';
import type { Link } from './io/link.ts';
import type { Fact } from './orders.ts';
import type { Voice } from './speakers-socket.ts';

/** What all sessions of one process have in common. */
export type Identity = Omit<Voice, 'boot'> & {
  readonly node: string;
  /** Of the sessions open now: what they say is our own voice. */
  readonly boots: Set<bigint>;
  /** The sequence of the last frame that this process sent. */
  readonly said: () => bigint;
  readonly shortestPulseMs: number;
  /** How often each address that another node holds is asked for; 0: never. */
  readonly witnessMs: number;
  /** The wait after each probe for an address before its first use; 0: none is probed. */
  readonly probeMs: number;
  /** Of all links of this machine, as they are now: what they say is no other station's word. */
  readonly macs: () => ReadonlySet<Mac>;
  readonly random: () => number;
  readonly random64: () => bigint;
  readonly nowMs: () => number;
  readonly report: (fact: Fact) => void;
  /** The ways around a link that is dead. */
  readonly detoursAround: (link: Link) => readonly Detour[];
  /** Has the kernel answer on a link, where it is to and can. */
  readonly answerInKernel: (link: Link & { readonly mac: Mac }) => KernelResponder | undefined;
};
