import { type Address, formatAddress } from '../net/address.ts';
import { type Mac, macToBytes } from '../net/mac.ts';
import { nextDueMs } from './burst.ts';
import { Schedule } from './schedule.ts';
import {
  type Assertion,
  claimIn,
  type Neighbours,
  neighboursOf,
  readNeighbours,
} from './wire/family.ts';
import { isAt, keyOf, plainOf } from './wire/plain.ts';

/** What the announcer needs of a link. `sent` counts from the front; the rest did not go out. */
export type Lan = {
  send(frames: readonly Uint8Array[]): { readonly sent: number };
};

/** Another station says that it has an address that we hold, or may soon. */
export type Conflict = { readonly address: Address; readonly mac: Mac };

/** Since the start, addresses released since included. */
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
  /** Whether an announcement has gone out. */
  isBegun: boolean;
};

/**
 * Speaks for the addresses held on one link: answers who asks, and tells, unasked, who does not. It
 * decides nothing: whoever owns it says what is held. Time comes in as an argument.
 */
export class Announcer {
  readonly #lan: Lan;
  readonly #random: () => number;
  /** By `keyOf` the address. */
  readonly #held = new Map<string, Held>();
  readonly #schedule = new Schedule<Held>();
  readonly #counts = { questions: 0, answers: 0, announcements: 0 };
  #mac: Mac;
  #begun: string[] = [];
  #macBytes: Uint8Array;

  constructor({ lan, mac, random }: { lan: Lan; mac: Mac; random: () => number }) {
    this.#lan = lan;
    this.#mac = mac;
    this.#macBytes = macToBytes(mac);
    this.#random = random;
  }

  /**
   * Answers for this address from now on, and announces it at the next tick; one held already goes
   * on as it was.
   */
  hold(address: Address, nowMs: number): void {
    const key = keyOf(address);
    if (this.#held.has(key)) return;
    const neighbours = neighboursOf(address.family);
    const held = { address, neighbours, startMs: nowMs, isBegun: false };
    this.#held.set(key, held);
    this.#schedule.set(held, nowMs);
  }

  /** Not another word about this address. */
  release(address: Address): void {
    const key = keyOf(address);
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#held.delete(key);
    this.#schedule.delete(held);
  }

  /** What is held, in no order: what the kernel's filter is to let through. */
  held(): readonly Address[] {
    return Array.from(this.#held.values(), ({ address }) => address);
  }

  /** Announces everything anew: the link came back, or a neighbour may have been told otherwise. */
  announceAgain(nowMs: number, addresses: readonly Address[] = this.held()): void {
    for (const address of addresses) {
      const held = this.#held.get(keyOf(address));
      if (held === undefined) continue;
      held.startMs = nowMs;
      this.#schedule.set(held, nowMs);
    }
  }

  /** The link has this MAC now: answers carry it at once, and a change is announced. */
  moveTo(mac: Mac, nowMs: number): void {
    if (mac === this.#mac) return;
    this.#mac = mac;
    this.#macBytes = macToBytes(mac);
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
        if (!held.isBegun) this.#begun.push(formatAddress(held.address));
        held.isBegun = true;
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
    const conflicts = new Map<string, Conflict>();
    for (const frame of frames) {
      const answer = this.#answerPlain(frame) ?? this.#answerRead(frame, isWatched, conflicts);
      if (answer !== undefined) answers.push(answer);
    }
    if (answers.length > 0) {
      this.#counts.questions += answers.length;
      this.#counts.answers += this.#lan.send(answers).sent;
    }
    return [...conflicts.values()];
  }

  /** The addresses whose first announcement has gone out since this was last asked. */
  takeBegun(): readonly string[] {
    const begun = this.#begun;
    if (begun.length > 0) this.#begun = [];
    return begun;
  }

  get answered(): number {
    return this.#counts.answers;
  }

  counts(): Counts {
    return { ...this.#counts };
  }

  /** What nearly every frame asks, without an object or a text made for it. */
  #answerPlain(frame: Uint8Array): Uint8Array | undefined {
    const plain = plainOf(frame);
    if (plain === undefined || isAt(this.#macBytes, frame, plain.askerAt)) return undefined;
    const held = this.#held.get(plain.targetKey(frame));
    return held && plain.answer(frame, this.#macBytes);
  }

  /** Any other frame. */
  #answerRead(
    frame: Uint8Array,
    isWatched: (address: Address) => boolean,
    conflicts: Map<string, Conflict>,
  ): Uint8Array | undefined {
    const heard = readNeighbours(frame);
    if (heard === undefined) return undefined;
    const address = heard.kind === 'question' ? heard.target : heard.address;
    const held = this.#held.get(keyOf(address));
    const claim = held === undefined ? claimIn(heard) : undefined;
    if (claim !== undefined && claim.mac !== this.#mac && isWatched(address)) {
      conflicts.set(keyOfConflict(claim), { address, mac: claim.mac });
    }
    if (held === undefined) return undefined;
    const mac = heard.kind === 'question' ? heard.asker : heard.mac;
    // Our own frames come back from bonds and from switches with loops.
    if (mac === this.#mac) return undefined;
    if (heard.kind === 'question') return held.neighbours.answer(heard, this.#mac);
    conflicts.set(keyOfConflict(heard), { address, mac });
    return undefined;
  }
}

const keyOfConflict = ({ address, mac }: Assertion): string => `${formatAddress(address)} ${mac}`;
