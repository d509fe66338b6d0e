import { type Address, formatAddress } from '../net/address.ts';
import type { Mac } from '../net/mac.ts';
import { nextDueMs } from './burst.ts';
import { Schedule } from './schedule.ts';
import {
  type Assertion,
  claimIn,
  type Neighbours,
  neighboursOf,
  readNeighbours,
} from './wire/family.ts';

/** What the announcer needs of a link. `sent` counts from the front; the rest did not go out. */
export type Lan = {
  send(frames: readonly Uint8Array[]): { readonly sent: number };
};

/** Another station says that it has an address that we hold, or may soon. */
export type Conflict = { readonly address: Address; readonly mac: Mac };

/** Since the start, or for a held address, since it was taken. */
export type Counts = {
  /** Questions heard about held addresses. */
  readonly questions: number;
  /** Answers the link took. */
  readonly answers: number;
  /** Unasked announcements the link took: one is all the frames of its family. */
  readonly announcements: number;
};

/**
 * More in one tick would keep questions waiting: to announce 128 addresses takes a few milliseconds
 * (measured on two shared cores). What is left is due at once.
 */
const mostPerTick = 128;

type Held = {
  readonly address: Address;
  readonly neighbours: Neighbours;
  startMs: number;
  questions: number;
  answers: number;
  announcements: number;
};

/**
 * Speaks for the addresses held on one link: answers who asks, and tells, unasked, who does not. It
 * decides nothing: whoever owns it says what is held. Time comes in as an argument.
 */
export class Announcer {
  readonly #lan: Lan;
  readonly #random: () => number;
  readonly #held = new Map<string, Held>();
  readonly #schedule = new Schedule<Held>();
  readonly #counts = { questions: 0, answers: 0, announcements: 0 };
  #mac: Mac;

  constructor({ lan, mac, random }: { lan: Lan; mac: Mac; random: () => number }) {
    this.#lan = lan;
    this.#mac = mac;
    this.#random = random;
  }

  /**
   * Answers for this address from now on, and announces it at the next tick; one held already goes
   * on as it was.
   */
  hold(address: Address, nowMs: number): void {
    const key = formatAddress(address);
    if (this.#held.has(key)) return;
    const neighbours = neighboursOf(address.family);
    const held = { address, neighbours, startMs: nowMs, ...noCounts };
    this.#held.set(key, held);
    this.#schedule.set(held, nowMs);
  }

  /** Not another word about this address. */
  release(address: Address): void {
    const key = formatAddress(address);
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#held.delete(key);
    this.#schedule.delete(held);
  }

  /** What is held, in no order: what the kernel's filter is to let through. */
  held(): readonly Address[] {
    return Array.from(this.#held.values(), ({ address }) => address);
  }

  holds(address: Address): boolean {
    return this.#held.has(formatAddress(address));
  }

  /** Announces everything anew: the link came back, or a neighbour may have been told otherwise. */
  announceAgain(nowMs: number, addresses: readonly Address[] = this.held()): void {
    for (const address of addresses) {
      const held = this.#held.get(formatAddress(address));
      if (held === undefined) continue;
      held.startMs = nowMs;
      this.#schedule.set(held, nowMs);
    }
  }

  /** The link has this MAC now: answers carry it at once, and a change is announced. */
  moveTo(mac: Mac, nowMs: number): void {
    if (mac === this.#mac) return;
    this.#mac = mac;
    this.announceAgain(nowMs);
  }

  /** When `tick` has something to do; Infinity when nothing is held. */
  dueAtMs(): number {
    return this.#schedule.nextMs();
  }

  /** Announces what is due. */
  tick(nowMs: number): void {
    const due: Held[] = [];
    while (due.length < mostPerTick) {
      const held = this.#schedule.take(nowMs);
      if (held === undefined) break;
      due.push(held);
    }
    const batches = due.map(({ address, neighbours }) =>
      neighbours.unsolicited(address, this.#mac),
    );
    let { sent } = this.#lan.send(batches.flat());
    for (const [index, held] of due.entries()) {
      const frames = batches[index]?.length ?? 0;
      // What the link did not take is not made up for: the burst goes on, and a link that comes back starts it anew.
      if (sent >= frames) {
        held.announcements++;
        this.#counts.announcements++;
      }
      sent -= frames;
      this.#schedule.set(held, nextDueMs(held.startMs, nowMs, this.#random));
    }
  }

  /**
   * Answers the questions about held addresses among these frames, whatever their bytes. What it
   * returns are the other stations that claim one of them; each is named once. Of addresses that
   * are only watched nothing is answered, and a probe for one is a claim, too.
   */
  answer(
    frames: readonly Uint8Array[],
    isWatched: (address: Address) => boolean = () => false,
  ): readonly Conflict[] {
    const answers: Uint8Array[] = [];
    const asked: Held[] = [];
    const conflicts = new Map<string, Conflict>();
    for (const frame of frames) {
      const heard = readNeighbours(frame);
      if (heard === undefined) continue;
      const address = heard.kind === 'question' ? heard.target : heard.address;
      const held = this.#held.get(formatAddress(address));
      const claim = held === undefined ? claimIn(heard) : undefined;
      if (claim !== undefined && claim.mac !== this.#mac && isWatched(address)) {
        conflicts.set(keyOf(claim), { address, mac: claim.mac });
      }
      if (held === undefined) continue;
      const mac = heard.kind === 'question' ? heard.asker : heard.mac;
      // Our own frames come back from bonds and from switches with loops.
      if (mac === this.#mac) continue;
      if (heard.kind === 'assertion') {
        conflicts.set(keyOf(heard), { address, mac });
        continue;
      }
      held.questions++;
      this.#counts.questions++;
      asked.push(held);
      answers.push(held.neighbours.answer(heard, this.#mac));
    }
    if (answers.length > 0) this.#countAnswers(asked, this.#lan.send(answers).sent);
    return [...conflicts.values()];
  }

  /** In all, addresses released since included. */
  counts(): Counts {
    return { ...this.#counts };
  }

  /** For one address as long as it is held. */
  countsOf(address: Address): Counts | undefined {
    const held = this.#held.get(formatAddress(address));
    if (held === undefined) return undefined;
    const { questions, answers, announcements } = held;
    return { questions, answers, announcements };
  }

  #countAnswers(asked: readonly Held[], sent: number): void {
    this.#counts.answers += sent;
    for (const held of asked.slice(0, sent)) held.answers++;
  }
}

const noCounts = { questions: 0, answers: 0, announcements: 0 } as const;

const keyOf = ({ address, mac }: Assertion): string => `${formatAddress(address)} ${mac}`;
