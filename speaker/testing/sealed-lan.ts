import type { Mac } from '../../net/mac.ts';
import type { Action, Candidates } from '../core/action.ts';
import type { Destination, Message } from '../core/message.ts';
import { openSegment, type Segment } from '../core/segment.ts';
import { dueAtMs, step } from '../core/step.ts';
import { PulseRing } from '../pulse-ring.ts';
import { formatSealed, readSealed, type Voice } from '../speakers-socket.ts';
import {
  etherTypeOf,
  etherTypes,
  formatFrame,
  headerBytes,
  speakersMac,
} from '../wire/ethernet.ts';
import type { Random } from './random.ts';

/** A node of such a segment: its core, and the voice it has in this life. */
export type Speaker = {
  readonly segment: Segment;
  readonly voice: Pick<Voice, 'boot' | 'boots' | 'ring' | 'nextSequence'>;
  /** What it answers for. */
  readonly holding: Set<string>;
  /** What it was told to do, but sending, since somebody last emptied this. */
  readonly done: Action[];
};

/** A frame as it went over the wire. */
type Recorded = {
  readonly bytes: Uint8Array;
  readonly from: string;
  readonly to: Destination;
};

/** How long a frame is under way. */
const underWayMs = 0.1;

/**
 * A segment in memory on which real cores talk in sealed frames, byte for byte as on a wire, in simulated time. Everything
 * that is said is recorded, as any station of a segment could.
 */
export class SealedLan {
  readonly key: Uint8Array;
  readonly recorded: Recorded[] = [];
  /** How many frames were sent. */
  sent = 0;
  nowMs = 1_000;
  readonly #random: Random;
  readonly #speakers = new Map<Mac, Speaker>();
  readonly #underWay: { readonly to: Speaker; readonly frame: Uint8Array }[] = [];

  constructor(key: Uint8Array, random: Random) {
    this.key = key;
    this.#random = random;
  }

  start(node: string, mac: Mac, candidates: Candidates): Speaker {
    const random = (): bigint => this.#random64();
    const boot = random();
    let sequence = 0n;
    const speaker: Speaker = {
      segment: openSegment({
        node,
        mac,
        boot,
        shortestPulseMs: 100,
        random,
        nowMs: this.nowMs,
      }),
      voice: {
        boot,
        boots: new Set([boot]),
        ring: new PulseRing([this.key], () => this.nowMs),
        nextSequence: () => ++sequence,
      },
      holding: new Set(),
      done: [],
    };
    this.#speakers.set(mac, speaker);
    this.#follow(speaker, step(speaker.segment, { kind: 'plan', candidates }, this.nowMs));
    this.#deliver();
    return speaker;
  }

  /** Power cut: nothing is said. */
  cut({ segment }: Speaker): void {
    this.#speakers.delete(segment.mac);
  }

  run(ms: number): void {
    const endMs = this.nowMs + ms;
    while (this.nowMs < endMs) {
      const due = [...this.#speakers.values()].map(({ segment }) => dueAtMs(segment));
      // What is overdue waits for its turn, as in the loop of the wire thread.
      this.nowMs = Math.min(endMs, Math.max(this.nowMs + underWayMs, Math.min(...due)));
      for (const speaker of this.#speakers.values()) {
        if (dueAtMs(speaker.segment) > this.nowMs) continue;
        this.#follow(speaker, step(speaker.segment, { kind: 'tick' }, this.nowMs));
      }
      this.#deliver();
    }
  }

  /** Brings a frame to this node, whoever sent it, and what is said about it to whom it concerns. */
  hear(speaker: Speaker, frame: Uint8Array): void {
    this.#take(speaker, frame);
    this.#deliver();
  }

  #deliver(): void {
    for (let next = this.#underWay.shift(); next !== undefined; next = this.#underWay.shift()) {
      this.#take(next.to, next.frame);
    }
  }

  /** As a session of the wire thread does. */
  #take(speaker: Speaker, frame: Uint8Array): void {
    if (etherTypeOf(frame) !== etherTypes.speaker) return;
    const { voice, segment } = speaker;
    const heard = readSealed(frame.subarray(headerBytes), voice);
    if (heard === undefined || voice.boots.has(heard.boot)) return;
    this.#follow(speaker, step(segment, { ...heard, kind: 'frame' }, this.nowMs));
  }

  #follow(speaker: Speaker, actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.kind === 'send') {
        this.#send(speaker, action.to, action.message);
        continue;
      }
      speaker.done.push(action);
      if (action.kind === 'hold') speaker.holding.add(action.address);
      if (action.kind === 'yield') speaker.holding.delete(action.address);
    }
  }

  #send({ segment, voice }: Speaker, to: Destination, message: Message): void {
    if (typeof to === 'object') return;
    this.sent++;
    const bytes = formatFrame({
      destination: to === 'all' ? speakersMac : to,
      source: segment.mac,
      etherType: etherTypes.speaker,
      payload: formatSealed(message, voice),
    });
    this.recorded.push({ bytes, from: segment.node, to });
    for (const [mac, speaker] of this.#speakers) {
      const isFor = to === 'all' ? mac !== segment.mac : to === mac;
      if (isFor) this.#underWay.push({ to: speaker, frame: bytes });
    }
  }

  #random64(): bigint {
    const half = (): bigint => BigInt(this.#random.integer(0, 0xffff_ffff));
    return (half() << 32n) | half();
  }
}
