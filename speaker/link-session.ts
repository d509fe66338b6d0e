import type { Mac } from '../net/mac.ts';
import { ClusterStations } from './cluster-stations.ts';
import type { Action, Event } from './core/action.ts';
import { isFarewell, type Message } from './core/message.ts';
import { intervalMs, openSegment, type Segment } from './core/segment.ts';
import { dueAtMs, hasStalled, step } from './core/step.ts';
import { carrierLostMs, leaseMs, suspectAfterMs } from './core/timing.ts';
import type { Outcome, Quarantines } from './guard.ts';
import type { Identity } from './identity.ts';
import type { Link } from './io/link.ts';
import { LinkPlan } from './link-plan.ts';
import { LinkWitness, type Testimony } from './link-witness.ts';
import type { Fact, LinkCounts, LinkFact } from './orders.ts';
import type { Duty, PlanChange } from './plan-change.ts';
import { Responder } from './responder.ts';
import type { Speaker } from './roster.ts';
import { Sibling } from './sibling.ts';
import { formatSealed, type Heard, SpeakersSocket } from './speakers-socket.ts';
import { Telling } from './telling.ts';

/** A flood of frames must not keep questions waiting for longer than about a millisecond. */
const batchesPerTurn = 4;

/**
 * One announcing link: where its speakers talk, what is known of its segment, and what is answered there. Belongs to
 * the wire thread, which calls it when something is to be read or due.
 */
export class LinkSession implements Disposable {
  readonly speakersFd: number;
  readonly questionsFds: readonly number[];
  /** Who answers questions as a rule: the kernel, or this process through its packet socket. */
  readonly responder: 'kernel' | 'packet';
  readonly #identity: Identity;
  /** A session is a life of its own: it knows nothing of what one before it claimed on a link of the same name. */
  readonly #boot: bigint;
  readonly #speakers: SpeakersSocket;
  readonly #responder: Responder;
  readonly #segment: Segment;
  readonly #stations: ClusterStations;
  readonly #telling = new Telling((fact) => this.#report(fact));
  readonly #witness: LinkWitness;
  readonly #sibling: Sibling;
  #link: Link;
  /** Since when the link has been without carrier and the segment does not know. */
  #blinkSinceMs: number | undefined;
  readonly #plan: LinkPlan;

  constructor(link: Link & { readonly mac: Mac }, identity: Identity) {
    this.#identity = identity;
    this.#plan = new LinkPlan(identity.node);
    this.#link = link;
    this.#sibling = new Sibling(identity.said);
    this.#boot = identity.random64();
    identity.boots.add(this.#boot);
    this.#speakers = new SpeakersSocket(link, { ...identity, boot: this.#boot });
    const kernel = identity.answerInKernel(link);
    this.responder = kernel === undefined ? 'packet' : 'kernel';
    this.#responder = new Responder(link, { ...identity, kernel });
    this.speakersFd = this.#speakers.fd;
    this.questionsFds = this.#responder.fds;
    this.#segment = openSegment({
      node: identity.node,
      mac: link.mac,
      boot: this.#boot,
      shortestPulseMs: identity.shortestPulseMs,
      random: identity.random64,
      nowMs: identity.nowMs(),
    });
    this.#stations = new ClusterStations({ segment: this.#segment, macs: identity.macs });
    this.#witness = new LinkWitness(link, { ...identity, segment: this.#segment });
    if (!link.running) this.#step({ kind: 'link', up: false, mac: link.mac });
  }

  get link(): Link {
    return this.#link;
  }

  /** Whether the device is the one this session was opened on. */
  isOn({ index, name, mac }: Link): boolean {
    return index === this.#link.index && name === this.#link.name && mac !== undefined;
  }

  /**
   * The link as it is now: carrier and MAC may have changed. A link that comes back before its peers have found it
   * missing has only stood still for a moment; one that stays away is down.
   */
  follow(link: Link): void {
    const { mac } = link;
    if (mac === undefined) return;
    const nowMs = this.#identity.nowMs();
    const before = this.#link;
    this.#link = link;
    this.#witness.follow(link);
    this.#responder.moveTo(mac, nowMs);
    if (mac !== before.mac) {
      this.#sibling.renew();
      this.#report({ kind: 'mac', mac });
    }
    if (before.running && !link.running) this.#blinkSinceMs = nowMs;
    if (!link.running) return;
    this.#responder.renew();
    const blinked = this.#blinkSinceMs !== undefined;
    this.#blinkSinceMs = undefined;
    if (!before.running) this.#sibling.forget();
    if (blinked) this.#responder.announceAgain(nowMs);
    this.#step({ kind: 'link', up: !this.#sibling.isHeard, mac });
  }

  /** The device is gone, and everything on it. */
  lose(): void {
    this.#blinkSinceMs = undefined;
    if (this.#link.mac !== undefined) this.#step({ kind: 'link', up: false, mac: this.#link.mac });
  }

  /** Another machine has these: they are probed by who takes them from these nodes, which are not asked for them. */
  distrust(quarantines: Quarantines): void {
    this.#responder.distrust(quarantines);
    this.#witness.spare(quarantines);
  }

  /** The whole plan: at the beginning, and when the link has changed. */
  adopt(duties: ReadonlyMap<string, Duty>, speakers: readonly Speaker[]): void {
    this.#stations.keep(speakers);
    this.#step({ kind: 'plan', ...this.#plan.here(this.#link, duties, speakers) });
  }

  /** What is different in the plan. */
  amend({ put, removed }: PlanChange, speakers: readonly Speaker[]): void {
    this.#stations.keep(speakers);
    const { candidates, ...rest } = this.#plan.here(this.#link, put, speakers);
    this.#step({ kind: 'amendment', put: candidates, removed, ...rest });
  }

  /** What this node is told to do, or finds out about itself. */
  take(event: Event & { readonly kind: 'leave' | 'health' }): void {
    this.#step(event);
  }

  get hasLeft(): boolean {
    return this.#segment.phase === 'left';
  }

  /** When `tick` has something to do. */
  dueAtMs(): number {
    if (this.#blinkSinceMs !== undefined) return this.#blinkSinceMs + this.#blinkAtMostMs;
    const due = [dueAtMs(this.#segment), this.#responder.dueAtMs(), this.#witness.dueAtMs()];
    return Math.min(...due, this.#returnAtMs);
  }

  tick(): void {
    if (this.#blinkSinceMs !== undefined) {
      if (this.#identity.nowMs() >= this.dueAtMs()) this.lose();
      return;
    }
    if (this.#identity.nowMs() >= this.#returnAtMs) this.#standUp();
    this.#step({ kind: 'tick' });
    const nowMs = this.#identity.nowMs();
    if (this.#responder.probesAt(nowMs)) this.readQuestions();
    this.#carryOn(this.#responder.tick(nowMs), nowMs);
    this.#carryOn(this.#witness.tick(nowMs), nowMs);
    const groups = this.#responder.takeRefused();
    if (groups > 0) this.#report({ kind: 'deaf', groups });
  }

  /** Peers begin to miss this node after as long, unless they can be told. */
  get #blinkAtMostMs(): number {
    const tellable =
      this.#segment.peers.size > 0 && this.#identity.detoursAround(this.#link).length > 0;
    return tellable ? carrierLostMs : suspectAfterMs(intervalMs(this.#segment));
  }

  /** Reads what the speakers of the segment say. Returns the goodbyes of those who speak on another one. */
  readSpeakers(): readonly Heard[] {
    const relayed: Heard[] = [];
    for (let batch = 0; batch < batchesPerTurn; batch++) {
      const heard = this.#speakers.hear();
      if (heard === undefined) break;
      for (const one of heard) {
        if (isFarewell(one.message) && !this.#knows(one)) relayed.push(one);
        else this.#hear(one);
      }
    }
    return relayed;
  }

  /** Brings to all on this link what was sealed for another one that is dead. */
  relay(payload: Uint8Array): void {
    if (this.#link.mac !== undefined) this.#speakers.relay(payload, this.#link.mac);
  }

  /** A goodbye that came by another way than this link; it may be of somebody on another segment. */
  hearFarewell(heard: Heard): void {
    if (this.#knows(heard)) this.#step({ ...heard, kind: 'frame', by: 'datagram' });
  }

  #knows({ boot, message }: Heard): boolean {
    return this.#segment.peers.get(message.node)?.boot === boot;
  }

  /** What a speaker of this segment says in a datagram. */
  hearDatagram(heard: Heard): void {
    this.#step({ ...heard, kind: 'frame', by: 'datagram' });
  }

  /**
   * Answers who asks for a held address, and tells who else claims one; a node of ours that does is the segment's matter. Returns
   * how many questions were answered. Where it is known which descriptors can be read, no time is lost with the others.
   */
  readQuestions(readable?: readonly number[]): number {
    const before = this.#responder.answered;
    const { nowMs } = this.#identity;
    const isOurs = (mac: Mac) => this.#stations.has(mac);
    const mayAnswer = () => !hasStalled(this.#segment, nowMs());
    const found = this.#responder.read(nowMs(), { isOurs, mayAnswer, readable });
    if (found.length > 0) this.#carryOn(found, nowMs());
    return this.#responder.answered - before;
  }

  counts(): LinkCounts {
    return {
      link: this.#link.name,
      peers: this.#segment.peers.size,
      held: this.#responder.size,
      refused: this.#speakers.refused,
      pulsesLost: this.#segment.pulsesLost,
      doubledOwners: this.#segment.doubledOwners,
      witnessed: this.#witness.questions,
      ...this.#responder.counts(),
    };
  }

  [Symbol.dispose](): void {
    this.#identity.boots.delete(this.#boot);
    this.#speakers[Symbol.dispose]();
    this.#responder[Symbol.dispose]();
    this.#witness[Symbol.dispose]();
  }

  #hear(heard: Heard): void {
    if (!this.#identity.boots.has(heard.boot)) {
      this.#step({ ...heard, kind: 'frame' });
      return;
    }
    const { mac } = this.#link;
    if (mac === undefined) return;
    if (!this.#sibling.hear(heard, { mac, nowMs: this.#identity.nowMs() })) return;
    this.#report({ kind: 'sibling', mac: heard.message.mac });
    this.#step({ kind: 'link', up: false, mac });
  }

  get #returnAtMs(): number {
    return this.#sibling.goneAtMs(intervalMs(this.#segment));
  }

  /** The sibling is heard no longer: it is down, or lies on another segment now. */
  #standUp(): void {
    const { mac, running } = this.#link;
    this.#sibling.forget();
    if (mac !== undefined) this.#step({ kind: 'link', up: running, mac });
  }

  #step(event: Event): void {
    const nowMs = this.#identity.nowMs();
    const actions = step(this.#segment, event, nowMs);
    this.#stations.note(actions);
    const { done, hushedMs } = this.#responder.follow(actions, nowMs);
    this.#responder.lend(nowMs, leaseMs(intervalMs(this.#segment)));
    if (hushedMs !== undefined) this.#report({ kind: 'stalled', hushedMs });
    this.#telling.decide(actions, nowMs);
    this.#carryOn(done, nowMs);
  }

  /** Sends what is to be sent, and tells what has come of the rest. */
  #carryOn(outcomes: readonly (Action | Outcome | Testimony)[], nowMs: number): void {
    for (const outcome of outcomes) {
      if (outcome.kind === 'unanswered') this.#step(outcome);
      else if (outcome.kind !== 'send') this.#telling.tell(outcome, nowMs);
      else if (outcome.to === 'elsewhere') this.#sayElsewhere(outcome.message);
      else this.#speakers.say(outcome.to, outcome.message);
    }
    const begun = this.#responder.takeBegun();
    this.#telling.announced(begun, this.#segment.mac, this.#identity.nowMs());
  }

  #sayElsewhere(message: Message): void {
    const detours = this.#identity.detoursAround(this.#link);
    if (detours.length === 0) return;
    const payload = formatSealed(message, { ...this.#identity, boot: this.#boot });
    for (const send of detours) send(payload);
  }

  #report(fact: LinkFact): void {
    // The link is what every such fact lacks, and all it lacks.
    this.#identity.report({ ...fact, link: this.#link.name } as Fact);
  }
}
