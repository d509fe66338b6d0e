import type { Mac } from '../net/mac.ts';
import { strangerMs } from './core/timing.ts';
import type { Heard } from './speakers-socket.ts';

/** Our own frames that are further behind the last one were recorded: somebody plays them again. */
const newsWithin = 64n;

/** Whether this node is heard from another of its links: both lie on one segment, where one of them is enough. */
export class Sibling {
  readonly #said: () => bigint;
  /** What this process said before is no news of a sibling: this link may have had another MAC when it said that. */
  #saidBefore: bigint;
  /** When it was last heard; for as long as it is, this link stays silent. */
  #heardAtMs: number | undefined;

  /** @param said the sequence of the last frame that this process sent */
  constructor(said: () => bigint) {
    this.#said = said;
    this.#saidBefore = said();
  }

  get isHeard(): boolean {
    return this.#heardAtMs !== undefined;
  }

  /** This link has another MAC now. */
  renew(): void {
    this.#saidBefore = this.#said();
  }

  forget(): void {
    this.#heardAtMs = undefined;
  }

  /** Takes in our own voice. Returns whether it is news that a link which goes before this one is here. */
  hear({ sequence, message }: Heard, { mac, nowMs }: { mac: Mac; nowMs: number }): boolean {
    const isOld = sequence <= this.#saidBefore || sequence + newsWithin < this.#said();
    if (isOld || mac <= message.mac) return false;
    const isNews = !this.isHeard;
    this.#heardAtMs = nowMs;
    return isNews;
  }

  /** When it will have been silent for so long that it is down, or lies on another segment now. */
  goneAtMs(intervalMs: number): number {
    return this.#heardAtMs === undefined ? Infinity : this.#heardAtMs + strangerMs(intervalMs);
  }
}
