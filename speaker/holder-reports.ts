import type { Clock } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import { Pace } from '../kube/pace.ts';
import { KeyedQueue } from '../kube/queue.ts';
import type { Holdings } from './holdings.ts';
import type { Knowledge, Outcome } from './l2-record.ts';
import { WaitingLine } from './waiting-line.ts';

/** Requests under way at once, and Services looked at in a second; the first second's worth at once. */
const concurrency = 8;
const perSecond = 100;
/** By then every node has the new plan, and of two that took an address at once one has given it up. */
const lookAgainMs = 5_000;
/** By then Kubernetes says of a dead node that it is: the node controller waits for 40 to 50 s. */
const clearUpMs = 60_000;

type Surroundings = {
  readonly holdings: Pick<Holdings, 'of' | 'plannedFor'>;
  readonly write: (
    knowledge: Omit<Knowledge, 'node'>,
    overruled: string | undefined,
    signal: AbortSignal,
  ) => Promise<Outcome>;
  /** Whether this node, and no other, clears up what dead holders have left. */
  readonly isFirst: () => boolean;
  readonly onOutcome: (outcome: Outcome['kind']) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

type Contest = { readonly claims: string; readonly sinceMs: number; readonly overruled: boolean };

/**
 * Sees to it that what is written about the Services' holders becomes right, in a bounded number of requests: one
 * Service is looked at when something of it changed hands here, with what holds by then, and once more a little later.
 */
export class HolderReports {
  readonly #surroundings: Surroundings;
  readonly #queue: KeyedQueue;
  readonly #pace: Pace;
  readonly #later: WaitingLine;
  /** Services that are announced no more, and that somebody else held last. */
  readonly #leftBehind: WaitingLine;
  /** The Services in whose objects this node may have an entry, or is to take away that of a dead one. */
  readonly #standsIn = new Set<string>();
  /** Better claims than ours that stood written when we looked. */
  readonly #contests = new Map<string, Contest>();

  constructor(surroundings: Surroundings) {
    const { clock, random, log } = surroundings;
    this.#surroundings = surroundings;
    this.#pace = new Pace({ perSecond, atOnce: perSecond, clock });
    const work = (service: string, signal: AbortSignal) => this.#look(service, signal);
    this.#queue = new KeyedQueue({ work, concurrency, clock, random, log });
    const due = (service: string) => this.#queue.add(service);
    this.#later = new WaitingLine({ ms: lookAgainMs, clock, due });
    const clearUp = (service: string) => this.#clearUp(service);
    this.#leftBehind = new WaitingLine({ ms: clearUpMs, clock, due: clearUp });
  }

  /** How many Services wait to be looked at now. */
  get waiting(): number {
    return this.#queue.size;
  }

  async run(signal: AbortSignal): Promise<void> {
    const lines = [this.#later, this.#leftBehind];
    await Promise.all([this.#queue.run(signal), ...lines.map((line) => line.run(signal))]);
  }

  /** Addresses of these Services were taken or given up here, or the plan has others for them. */
  changed(services: Iterable<string>): void {
    for (const service of services) {
      const { holdings } = this.#surroundings;
      const isPlanned = holdings.plannedFor(service).length > 0;
      if (holdings.of(service).length > 0) this.#queue.add(service);
      // Who takes it over writes that, and from whom; with nobody to do so, it is for this node.
      else if (this.#standsIn.has(service)) (isPlanned ? this.#later : this.#queue).add(service);
      else if (!isPlanned) this.#leftBehind.add(service);
    }
  }

  /** Its last holder has taken the object away, unless it is dead. */
  #clearUp(service: string): void {
    const { holdings, isFirst } = this.#surroundings;
    if (holdings.plannedFor(service).length > 0 || !isFirst()) return;
    this.#standsIn.add(service);
    this.#queue.add(service);
  }

  async #look(service: string, signal: AbortSignal): Promise<void> {
    await this.#pace.turn(signal);
    const { holdings, write, onOutcome, clock } = this.#surroundings;
    const knowledge = {
      service,
      planned: holdings.plannedFor(service),
      held: holdings.of(service),
    };
    const isHolder = knowledge.held.length > 0;
    if (!isHolder && !this.#standsIn.has(service)) return;
    this.#standsIn.add(service);
    const contest = this.#contests.get(service);
    const overruled = this.#isRipe(contest, clock.nowMs()) ? contest?.claims : undefined;
    const outcome = await write(knowledge, overruled, signal);
    onOutcome(outcome.kind);
    if (!isHolder) this.#standsIn.delete(service);
    const isSettled = this.#noteContest(service, outcome, overruled);
    if (!isSettled || outcome.kind === 'write') this.#later.add(service);
  }

  /** Whether it has lasted, and this node lived to see it: one that stood still has yet to hear what it has lost. */
  #isRipe(contest: Contest | undefined, nowMs: number): boolean {
    if (contest === undefined || contest.overruled) return false;
    const ageMs = nowMs - contest.sinceMs;
    return ageMs >= lookAgainMs && ageMs <= 2 * lookAgainMs;
  }

  /** Returns whether there is nothing to look at again: nobody else claims what is held here, or claims it still. */
  #noteContest(service: string, outcome: Outcome, overruled: string | undefined): boolean {
    const claims = outcome.kind === 'remove' ? undefined : outcome.contested;
    const before = this.#contests.get(service);
    if (claims === undefined) {
      this.#contests.delete(service);
      return true;
    }
    if (before?.claims === claims && before.overruled) return true;
    const sinceMs = this.#surroundings.clock.nowMs();
    this.#contests.set(service, { claims, sinceMs, overruled: claims === overruled });
    return false;
  }
}
