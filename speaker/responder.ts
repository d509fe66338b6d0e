import { type Address, parseAddress } from '../net/address.ts';
import type { Mac } from '../net/mac.ts';
import { Announcer, type Conflict, type Counts } from './announcer.ts';
import type { Action } from './core/action.ts';
import { Guard, type GuardFact, type Outcome, type Quarantines } from './guard.ts';
import type { KernelResponder } from './io/kernel-responder.ts';
import type { Link } from './io/link.ts';
import { batchFrames } from './io/packet-socket.ts';
import { Memberships } from './memberships.ts';
import { NeighbourSockets } from './neighbour-sockets.ts';
import { neighboursOf } from './wire/family.ts';

/** A flood of questions must not keep pulses waiting for longer than about a millisecond. */
const batchesPerTurn = 4;

export type ResponderOptions = {
  readonly random: () => number;
  /** The wait after each probe for an address before its first use; 0: none is probed. */
  readonly probeMs: number;
  /** Answers what it can; closed with the responder. Without it, all is answered from the packet socket. */
  readonly kernel: KernelResponder | undefined;
};

export type Reading = {
  readonly isOurs: (mac: Mac) => boolean;
  readonly mayAnswer: () => boolean;
  readonly readable?: readonly number[] | undefined;
};

/**
 * Answers for what is held on one link, or, hushed, for nothing. The kernel's filter follows what is held, so that
 * questions about other addresses never wake us. What the kernel answers by itself never comes to the packet socket,
 * and what comes there it has not answered.
 */
export class Responder implements Disposable {
  readonly #sockets: NeighbourSockets;
  readonly #memberships: Memberships;
  #refusedGroups = 0;
  readonly #announcer: Announcer;
  readonly #guard: Guard;
  readonly #kernel: KernelResponder | undefined;
  /** When half of the kernel's lease is over; Infinity while it has none. */
  #renewAtMs = Infinity;
  #hushedAtMs: number | undefined;
  #mac: Mac;

  constructor(link: Link & { readonly mac: Mac }, options: ResponderOptions) {
    const { random, kernel, probeMs } = options;
    this.#kernel = kernel;
    this.#mac = link.mac;
    this.#guard = new Guard({ probeMs, random });
    this.#sockets = new NeighbourSockets(link);
    this.#memberships = new Memberships(link);
    this.#announcer = new Announcer({ lan: this.#sockets, mac: link.mac, random });
  }

  /** Any of them is readable when somebody has asked. */
  get fds(): readonly number[] {
    return this.#sockets.fds;
  }

  /** How many addresses are held, and answered for. */
  get size(): number {
    return this.#announcer.held().length;
  }

  /** How many groups the link will not join, once when there are any: questions to them arrive by luck. */
  takeRefused(): number {
    const before = this.#refusedGroups;
    this.#refusedGroups = this.#memberships.refused;
    return before === 0 ? this.#refusedGroups : 0;
  }

  /** How many questions were answered from the packet socket so far. */
  get answered(): number {
    return this.#announcer.answered;
  }

  /** The addresses whose first announcement has gone out since this was last asked. */
  takeBegun(): readonly string[] {
    return this.#announcer.takeBegun();
  }

  /** `kernelAnswers` are those of the answers that the kernel gave. */
  counts(): Counts & ReturnType<Guard['counts']> & { readonly kernelAnswers: number } {
    const { questions, answers, announcements } = this.#announcer.counts();
    const kernelAnswers = this.#kernel?.answers ?? 0;
    return {
      questions: questions + kernelAnswers,
      answers: answers + kernelAnswers,
      announcements,
      kernelAnswers,
      ...this.#guard.counts(),
    };
  }

  /** When `tick` or `lend` has something to do. */
  dueAtMs(): number {
    if (this.#hushedAtMs !== undefined) return Infinity;
    if (!this.#memberships.settled) return -Infinity;
    return Math.min(this.#announcer.dueAtMs(), this.#renewAtMs, this.#guard.dueAtMs());
  }

  /** Whether `tick` goes on with probes: what has come in must have been read before. */
  probesAt(nowMs: number): boolean {
    return this.#hushedAtMs === undefined && this.#guard.dueAtMs() <= nowMs;
  }

  /** This process runs: the kernel may answer for so long, where it answers, and something is held. */
  lend(nowMs: number, leaseMs: number): void {
    if (this.#kernel === undefined) return;
    const silent = this.#hushedAtMs !== undefined || this.#announcer.dueAtMs() === Infinity;
    this.#renewAtMs = silent ? Infinity : nowMs + leaseMs / 2;
    if (silent) this.#kernel.revoke();
    else this.#kernel.renew(nowMs + leaseMs);
  }

  /** Probes and announces what is due. Returns what has come of probes. */
  tick(nowMs: number): readonly Outcome[] {
    if (this.#hushedAtMs !== undefined) return [];
    if (!this.probesAt(nowMs)) {
      this.#announce(nowMs);
      return [];
    }
    // Who probes must be in the group first, so as to hear others that probe (RFC 4862 §5.4.2).
    this.#memberships.settle();
    const outcomes = this.#goOnProbing(nowMs);
    this.#announcer.tick(nowMs);
    return outcomes;
  }

  moveTo(mac: Mac, nowMs: number): void {
    if (mac === this.#mac) return;
    this.#mac = mac;
    this.#kernel?.moveTo(mac);
    this.#announcer.moveTo(mac, nowMs);
    this.#guard.restart(nowMs);
  }

  /** The link stood still for a moment. */
  announceAgain(nowMs: number): void {
    this.#announcer.announceAgain(nowMs);
    this.#guard.restart(nowMs);
  }

  /** The link has changed: what the kernel knew of it may be forgotten. */
  renew(): void {
    this.#memberships.renew();
  }

  /** From now on what is taken from one of these nodes is probed. */
  distrust(quarantines: Quarantines): void {
    this.#guard.distrust(quarantines);
  }

  /**
   * Carries out what changes who is answered for: first the filter, then the first announcements. Addresses that are to
   * be probed first are not among the actions `done`. Says for how long it had been hushed, where that has ended.
   */
  follow(
    actions: readonly Action[],
    nowMs: number,
  ): { readonly done: readonly Action[]; readonly hushedMs: number | undefined } {
    const spoken = actions.some(({ kind }) => kind === 'speak');
    const hushedMs = spoken ? nowMs - (this.#hushedAtMs ?? nowMs) : undefined;
    const done = this.#guard.admit(actions, nowMs);
    const changes = done.map((action) => this.#carryOut(action, nowMs));
    if (changes.includes(true) || done.length < actions.length) this.#listen();
    if (spoken) this.#announcer.announceAgain(nowMs);
    if (done.some(({ kind }) => kind === 'hold') && this.#hushedAtMs === undefined) {
      this.#announce(nowMs);
    }
    return { done, hushedMs };
  }

  /**
   * Answers who asks, as long as `mayAnswer`: between reading a question and answering it, this process can have stood
   * still. Returns who else claims an address, each once in a while; who is one of ours is no stranger. Where it is known
   * which of `fds` can be read, no time is lost with the others.
   */
  read(nowMs: number, { isOurs, mayAnswer, readable }: Reading): readonly GuardFact[] {
    const conflicts: Conflict[] = [];
    const isWatched = (address: Address) => this.#guard.isHoldingBack(address);
    for (let batch = 0; batch < batchesPerTurn; batch++) {
      const frames = this.#sockets.receive(readable);
      if (frames.length > 0 && this.#hushedAtMs === undefined && mayAnswer())
        conflicts.push(...this.#announcer.answer(frames, isWatched));
      // What comes in meanwhile makes the descriptor readable again.
      if (frames.length < batchFrames) break;
    }
    const strangers = conflicts.filter(({ mac }) => !isOurs(mac));
    return this.#guard.hear(strangers, nowMs);
  }

  [Symbol.dispose](): void {
    this.#kernel?.close();
    this.#sockets[Symbol.dispose]();
    this.#memberships[Symbol.dispose]();
  }

  /** Whether the action changes what is answered for. */
  #carryOut(action: Action, nowMs: number): boolean {
    switch (action.kind) {
      case 'hold':
      case 'yield': {
        const address = parseAddress(action.address);
        if (address === undefined) return false;
        if (action.kind === 'hold') this.#hold(address, nowMs);
        else this.#release(address);
        return true;
      }
      case 'hush':
        this.#hushedAtMs = nowMs;
        this.#kernel?.revoke();
        return true;
      case 'speak':
        this.#hushedAtMs = undefined;
        return true;
      case 'send':
      case 'peer':
      case 'phase':
      case 'namesake':
        return false;
    }
  }

  /** Announces what is due; then sees to it that questions arrive, which those who heard it need not ask. */
  #announce(nowMs: number): void {
    this.#announcer.tick(nowMs);
    this.#memberships.settle();
  }

  /** What nobody else has is held from now on; the kernel's filter has let through all about it before. */
  #goOnProbing(nowMs: number): readonly Outcome[] {
    const { probes, outcomes } = this.#guard.tick(nowMs);
    const frames = probes.map((address) => neighboursOf(address.family).probe(address, this.#mac));
    const { sent } = this.#sockets.send(frames);
    this.#guard.unsent(probes.slice(sent));
    for (const outcome of outcomes) if (outcome.kind === 'hold') this.#carryOut(outcome, nowMs);
    return outcomes;
  }

  #hold(address: Address, nowMs: number): void {
    this.#announcer.hold(address, nowMs);
    this.#kernel?.hold(address);
  }

  /** The kernel first: what it passes on meanwhile finds nobody. */
  #release(address: Address): void {
    this.#kernel?.release(address);
    this.#announcer.release(address);
  }

  #listen(): void {
    const concerned = [...this.#announcer.held(), ...this.#guard.heldBack()];
    this.#memberships.follow(concerned);
    // What came in before the silence would be answered after it.
    if (this.#hushedAtMs === undefined) this.#sockets.listenFor(concerned);
    else this.#sockets.deafen();
  }
}
