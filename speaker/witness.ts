import { type Address, formatAddress, parseAddress } from '../net/address.ts';
import type { Mac } from '../net/mac.ts';
import { canTake } from './core/contest.ts';
import type { Segment } from './core/segment.ts';
import { witnesses } from './core/witnesses.ts';
import { examTiming, type Finding, questionsOf, type Seen, verdictOf } from './exam.ts';
import type { Quarantines } from './guard.ts';
import { Schedule } from './schedule.ts';

/** Every station of the segment hears each question that is broadcast: so many, and no more. */
export const witnessPace = {
  questionsPerStep: 10,
  stepMs: 100,
  /** Each round begins up to so much of its length earlier or later, so that nodes do not fall into step. */
  jitter: 0.1,
} as const;

/** To find who the witness of an address is takes about 5 µs among 200 nodes (measured): no step may take long. */
const lookedAtPerStep = 500;
/** Others that are asked, when nobody answers, whether anybody can be heard. */
const bystandersAtMost = 4;
/** A station that answers with ever other MACs must not fill the memory. */
const macsAtMost = 8;

/** What lasted for exams in a row, or is over. */
export type Report = {
  readonly address: string;
  readonly holder: string;
  readonly term: number;
  readonly finding: Finding;
  /** Who else answers. */
  readonly others: readonly Mac[];
  readonly isToMove: boolean;
  /** It was found before, and told. */
  readonly isKnown: boolean;
};

type Exam = {
  readonly key: string;
  readonly address: Address;
  /** The claim that the address was asked under. */
  readonly holder: string;
  readonly term: number;
  /** The exams before this one, in a row. */
  readonly before: Seen[];
  asked: number;
  askedAtMs: number;
  startedAtMs: number;
  macs: Set<Mac>;
};

/** What the witness has to know of its link. */
export type Surroundings = {
  /** Whether this node has an address there to ask for this one from. */
  readonly canAskFor: (address: Address) => boolean;
  /** Addresses of other stations, the most telling first. */
  readonly bystanders: () => readonly Address[];
};

export type WitnessOptions = {
  readonly segment: Segment;
  /** How often each address is asked for; 0: never. */
  readonly everyMs: number;
  readonly random: () => number;
  readonly nowMs: number;
};

/**
 * Asks for the addresses that this node is the witness of, compares who answers with who claims them, and says what does
 * not fit. It sends nothing itself: `tick` returns what is to be asked now, and what it found. Time comes in as an argument.
 */
export class Witness {
  readonly #segment: Segment;
  readonly #everyMs: number;
  readonly #random: () => number;
  readonly #exams = new Map<string, Exam>();
  readonly #due = new Schedule<Exam>();
  readonly #told = new Map<string, { holder: string; term: number; finding: Finding }>();
  #spared: Quarantines = new Map();
  #roundAtMs: number;
  /** Addresses of this round that have not been looked at, the next one last. */
  #rest: string[] = [];
  #step = { atMs: -Infinity, questions: 0 };
  /** When anybody last answered anything, over which protocol; when answers were last lost, when others were last asked. */
  readonly #heardAtMs = { IPv4: -Infinity, IPv6: -Infinity };
  #lostAtMs = -Infinity;
  #bystandersAtMs = -Infinity;
  #questions = 0;

  constructor({ segment, everyMs, random, nowMs }: WitnessOptions) {
    this.#segment = segment;
    this.#everyMs = everyMs;
    this.#random = random;
    this.#roundAtMs = everyMs === 0 ? Infinity : nowMs + everyMs * random();
  }

  /** Asked since the start. */
  get questions(): number {
    return this.#questions;
  }

  /** Whether answers may come. */
  get isListening(): boolean {
    for (const { asked } of this.#exams.values()) if (asked > 0) return true;
    return false;
  }

  /** From now on these nodes are not to answer: a foreign machine has the address, and they wait until it is gone. */
  spare(quarantines: Quarantines): void {
    this.#spared = quarantines;
  }

  /** When `tick` has something to do. */
  dueAtMs(): number {
    if (this.#rest.length === 0) return Math.min(this.#roundAtMs, this.#due.nextMs());
    return Math.min(this.#step.atMs + witnessPace.stepMs, this.#due.nextMs());
  }

  /** The station at `mac` has answered that it has the address. */
  hear(address: Address, mac: Mac, nowMs: number): void {
    this.#heardAtMs[address.family] = nowMs;
    const exam = this.#exams.get(formatAddress(address));
    if (exam !== undefined && exam.asked > 0 && exam.macs.size < macsAtMost) exam.macs.add(mac);
  }

  /** Answers came in faster than they could be read: none of what was silent meanwhile is known to be. */
  lose(nowMs: number): void {
    this.#lostAtMs = nowMs;
  }

  /**
   * Judges what has been asked for long enough, and returns what is to be asked for now. To be called when all answers
   * so far have been heard.
   */
  tick(
    nowMs: number,
    lan: Surroundings,
  ): { readonly questions: readonly Address[]; readonly reports: readonly Report[] } {
    const questions: Address[] = [];
    const reports: Report[] = [];
    if (!canTake(this.#segment, this.#segment.node)) {
      this.#giveUp(nowMs);
      return { questions, reports };
    }
    if (nowMs >= this.#step.atMs + witnessPace.stepMs) this.#step = { atMs: nowMs, questions: 0 };
    for (let exam = this.#due.take(nowMs); exam !== undefined; exam = this.#due.take(nowMs)) {
      if (!this.#wantsToAsk(exam)) reports.push(...this.#judge(exam, nowMs, lan));
      else if (this.#isOutOfBreath) this.#due.set(exam, this.#step.atMs + witnessPace.stepMs);
      else {
        questions.push(exam.address, ...this.#askedBeside(exam, nowMs, lan));
        this.#ask(exam, nowMs);
      }
    }
    if (nowMs >= this.#roundAtMs && this.#rest.length === 0) this.#beginRound(nowMs);
    for (const exam of this.#nextOfRound(lan)) {
      questions.push(exam.address);
      this.#ask(exam, nowMs);
    }
    this.#questions += questions.length;
    return { questions, reports };
  }

  get #isOutOfBreath(): boolean {
    return this.#step.questions >= witnessPace.questionsPerStep;
  }

  #giveUp(nowMs: number): void {
    for (const exam of this.#exams.values()) this.#due.delete(exam);
    this.#exams.clear();
    this.#rest = [];
    if (nowMs >= this.#roundAtMs) this.#roundAtMs = this.#nextRoundAtMs(nowMs);
  }

  #nextRoundAtMs(nowMs: number): number {
    const { jitter } = witnessPace;
    return nowMs + this.#everyMs * (1 - jitter + 2 * jitter * this.#random());
  }

  #beginRound(nowMs: number): void {
    const { claims, candidates, node } = this.#segment;
    this.#roundAtMs = this.#nextRoundAtMs(nowMs);
    for (const [address, { holder }] of claims) {
      if (holder !== undefined && holder !== node && candidates.has(address)) {
        this.#rest.push(address);
      }
    }
    for (const [address, { holder, term }] of this.#told) {
      const claim = claims.get(address);
      if (claim?.holder !== holder || claim.term !== term) this.#told.delete(address);
    }
  }

  /** As many addresses as may be asked for in this step. */
  *#nextOfRound({ canAskFor }: Surroundings): Generator<Exam> {
    if (this.#rest.length === 0) return;
    const witnessOf = witnesses(this.#segment);
    for (let looked = 0; looked < lookedAtPerStep && !this.#isOutOfBreath; looked++) {
      const key = this.#rest.pop();
      if (key === undefined) return;
      const claim = this.#segment.claims.get(key);
      const address = parseAddress(key);
      if (address === undefined || claim?.holder === undefined || this.#exams.has(key)) continue;
      const { holder, term } = claim;
      if (this.#isSpared(key, holder) || !canAskFor(address)) continue;
      if (!canTake(this.#segment, holder) || witnessOf(key) !== this.#segment.node) continue;
      const exam = { key, address, holder, term, before: [], ...notAsked() };
      this.#exams.set(key, exam);
      yield exam;
    }
  }

  #isSpared(key: string, holder: string): boolean {
    return this.#spared.get(key)?.includes(holder) === true;
  }

  #wantsToAsk({ asked, macs, before }: Exam): boolean {
    return asked === 0 || (macs.size === 0 && asked < questionsOf(before.length));
  }

  #ask(exam: Exam, nowMs: number): void {
    this.#step.questions++;
    if (exam.asked === 0) exam.startedAtMs = nowMs;
    exam.asked++;
    exam.askedAtMs = nowMs;
    const { askAddressAgainMs, answersWithinMs } = examTiming;
    const wait = exam.asked < questionsOf(exam.before.length) ? askAddressAgainMs : answersWithinMs;
    this.#due.set(exam, nowMs + wait);
  }

  /** While nobody at all is heard, others are asked with every question of a repeated exam. */
  #askedBeside(
    { before, startedAtMs, asked, address }: Exam,
    nowMs: number,
    lan: Surroundings,
  ): readonly Address[] {
    const sinceMs = asked === 0 ? nowMs : startedAtMs;
    const wasLately = nowMs < this.#bystandersAtMs + examTiming.askAddressAgainMs;
    if (before.length === 0 || this.#heardAtMs[address.family] >= sinceMs || wasLately) return [];
    this.#bystandersAtMs = nowMs;
    return bystandersOf(lan.bystanders());
  }

  /**
   * Whether nobody was heard since the exam began. Multicast can be broken where broadcast is not, so that others count
   * that were asked over the same protocol, if there are any.
   */
  #isDeaf({ startedAtMs, address: { family } }: Exam, { bystanders }: Surroundings): boolean {
    if (this.#lostAtMs >= startedAtMs) return true;
    const isComparable = bystandersOf(bystanders()).some((other) => other.family === family);
    const { IPv4, IPv6 } = this.#heardAtMs;
    const heardAtMs = isComparable ? this.#heardAtMs[family] : Math.max(IPv4, IPv6);
    return heardAtMs < startedAtMs;
  }

  #judge(exam: Exam, nowMs: number, lan: Surroundings): readonly Report[] {
    const { answersWithinMs } = examTiming;
    if (nowMs < exam.askedAtMs + answersWithinMs) {
      // Somebody has answered: who else does has as long.
      this.#due.set(exam, exam.askedAtMs + answersWithinMs);
      return [];
    }
    const { key, holder, term, before, macs } = exam;
    this.#exams.delete(key);
    const claim = this.#segment.claims.get(key);
    const mac = this.#segment.peers.get(holder)?.mac;
    // What moved meanwhile is asked for in another round.
    if (claim?.holder !== holder || claim.term !== term || mac === undefined) return [];
    if (this.#isSpared(key, holder) || !canTake(this.#segment, holder)) return [];
    const seen = [...before, { macs, isDeaf: macs.size === 0 && this.#isDeaf(exam, lan) }];
    const peers = new Set(Array.from(this.#segment.peers.values(), (peer) => peer.mac));
    const verdict = verdictOf(mac, seen, peers);
    if (verdict === undefined) {
      const again = { ...exam, before: seen, ...notAsked() };
      this.#exams.set(key, again);
      this.#due.set(again, nowMs + examTiming.repeatExamMs);
      return [];
    }
    const told = this.#told.get(key)?.finding ?? 'Right';
    if (verdict.finding === 'Right') this.#told.delete(key);
    else this.#told.set(key, { holder, term, finding: verdict.finding });
    if (verdict.finding === 'Right' && told === 'Right') return [];
    return [{ address: key, holder, term, ...verdict, isKnown: told === verdict.finding }];
  }
}

const bystandersOf = (all: readonly Address[]): readonly Address[] =>
  all.slice(0, bystandersAtMost);

const notAsked = () => ({
  asked: 0,
  askedAtMs: -Infinity,
  startedAtMs: Infinity,
  macs: new Set<Mac>(),
});
