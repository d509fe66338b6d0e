import { type Address, parseAddress } from '../net/address.ts';
import type { Mac } from '../net/mac.ts';
import { Announcer, type Conflict, type Counts } from './announcer.ts';
import type { Action } from './core/action.ts';
import type { KernelResponder } from './io/kernel-responder.ts';
import type { Link } from './io/link.ts';
import { batchFrames } from './io/packet-socket.ts';
import { Memberships } from './memberships.ts';
import { NeighbourSockets } from './neighbour-sockets.ts';

/** A flood of questions must not keep pulses waiting for longer than about a millisecond. */
const batchesPerTurn = 4;
/** The same conflict is told once in so long: whoever causes one repeats it with every frame. */
const conflictEveryMs = 10_000;
/** So many at a time are remembered; a sweep through addresses and MACs must not fill the memory. */
const conflictsAtMost = 256;

export type ResponderOptions = {
  readonly random: () => number;
  /** Answers what it can; closed with the responder. Without it, all is answered from the packet socket. */
  readonly kernel: KernelResponder | undefined;
};

/**
 * Answers for what is held on one link, or, hushed, for nothing. The kernel's filter follows what is held, so that
 * questions about other addresses never wake us. What the kernel answers by itself never comes to the packet socket,
 * and what comes there it has not answered.
 */
export class Responder implements Disposable {
  readonly #sockets: NeighbourSockets;
  readonly #memberships: Memberships;
  readonly #announcer: Announcer;
  readonly #conflicts = new Map<string, number>();
  readonly #kernel: KernelResponder | undefined;
  /** When half of the kernel's lease is over; Infinity while it has none. */
  #renewAtMs = Infinity;
  #hushedAtMs: number | undefined;

  constructor(link: Link & { readonly mac: Mac }, { random, kernel }: ResponderOptions) {
    this.#kernel = kernel;
    this.#sockets = new NeighbourSockets(link);
    this.#memberships = new Memberships(link);
    this.#announcer = new Announcer({ lan: this.#sockets, mac: link.mac, random });
  }

  /** Any of them is readable when somebody has asked. */
  get fds(): readonly number[] {
    return this.#sockets.fds;
  }

  /** How many addresses are held. */
  get size(): number {
    return this.#announcer.held().length;
  }

  /** Groups that the link would not join: questions to them arrive by luck. */
  get refusedGroups(): number {
    return this.#memberships.refused;
  }

  /** `kernelAnswers` are those of the answers that the kernel gave. */
  counts(): Counts & { readonly kernelAnswers: number } {
    const { questions, answers, announcements } = this.#announcer.counts();
    const kernelAnswers = this.#kernel?.answers ?? 0;
    return {
      questions: questions + kernelAnswers,
      answers: answers + kernelAnswers,
      announcements,
      kernelAnswers,
    };
  }

  /** When `tick` or `lend` has something to do. */
  dueAtMs(): number {
    if (this.#hushedAtMs !== undefined) return Infinity;
    if (!this.#memberships.settled) return -Infinity;
    return Math.min(this.#announcer.dueAtMs(), this.#renewAtMs);
  }

  /** This process runs: the kernel may answer for so long, where it answers, and something is held. */
  lend(nowMs: number, leaseMs: number): void {
    if (this.#kernel === undefined) return;
    const silent = this.#hushedAtMs !== undefined || this.#announcer.dueAtMs() === Infinity;
    this.#renewAtMs = silent ? Infinity : nowMs + leaseMs / 2;
    if (silent) this.#kernel.revoke();
    else this.#kernel.renew(nowMs + leaseMs);
  }

  /** Announces what is due; then sees to it that questions arrive, which those who heard it need not ask. */
  tick(nowMs: number): void {
    if (this.#hushedAtMs !== undefined) return;
    this.#announcer.tick(nowMs);
    this.#memberships.settle();
  }

  moveTo(mac: Mac, nowMs: number): void {
    this.#kernel?.moveTo(mac);
    this.#announcer.moveTo(mac, nowMs);
  }

  announceAgain(nowMs: number): void {
    this.#announcer.announceAgain(nowMs);
  }

  /** The link has changed: what the kernel knew of it may be forgotten. */
  renew(): void {
    this.#memberships.renew();
  }

  /**
   * Carries out what changes who is answered for: first the filter, then the first announcements. Returns for how long
   * it had been hushed, where that has ended.
   */
  follow(actions: readonly Action[], nowMs: number): number | undefined {
    const spoken = actions.some(({ kind }) => kind === 'speak');
    const hushedMs = nowMs - (this.#hushedAtMs ?? nowMs);
    const changes = actions.map((action) => this.#carryOut(action, nowMs));
    if (!changes.includes(true)) return undefined;
    this.#listen();
    if (spoken) this.#announcer.announceAgain(nowMs);
    if (actions.some(({ kind }) => kind === 'hold')) this.tick(nowMs);
    return spoken ? hushedMs : undefined;
  }

  /**
   * Answers who asks, as long as `mayAnswer`: between reading a question and answering it, this process can have stood
   * still. Returns who else claims a held address, each once in a while; `ours` are not strangers. Where it is known
   * which of `fds` can be read, no time is lost with the others.
   */
  read(
    nowMs: number,
    ours: Pick<ReadonlySet<Mac>, 'has'>,
    mayAnswer: () => boolean,
    readable?: ReadonlySet<number>,
  ): readonly Conflict[] {
    const conflicts: Conflict[] = [];
    for (let batch = 0; batch < batchesPerTurn; batch++) {
      const frames = this.#sockets.receive(readable);
      if (frames.length > 0 && this.#hushedAtMs === undefined && mayAnswer())
        conflicts.push(...this.#announcer.answer(frames));
      // What comes in meanwhile makes the descriptor readable again.
      if (frames.length < batchFrames) break;
    }
    return conflicts.filter(({ mac }) => !ours.has(mac)).filter((one) => this.#isNews(one, nowMs));
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
    const held = this.#announcer.held();
    this.#memberships.follow(held);
    // What came in before the silence would be answered after it.
    if (this.#hushedAtMs === undefined) this.#sockets.listenFor(held);
    else this.#sockets.deafen();
  }

  #isNews({ address, mac }: Conflict, nowMs: number): boolean {
    const key = `${address.family} ${address.value} ${mac}`;
    const toldAtMs = this.#conflicts.get(key);
    if (toldAtMs !== undefined && nowMs < toldAtMs + conflictEveryMs) return false;
    this.#conflicts.delete(key);
    this.#conflicts.set(key, nowMs);
    const [oldest] = this.#conflicts.keys();
    if (this.#conflicts.size > conflictsAtMost && oldest !== undefined) {
      this.#conflicts.delete(oldest);
    }
    return true;
  }
}
