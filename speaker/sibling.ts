import type { Mac } from '../net/mac.ts';
import type { Heard } from './speakers-socket.ts';

/** Our own frames that are further behind the last one were recorded: somebody plays them again. */
const newsWithin = 64n;

/** Our own voice from another link: both lie on one segment, where one of them is enough. */
export class Sibling {
  readonly #said: () => bigint;
  /** What this process said before is no news of a sibling: this link may have had another MAC when it said that. */
  #saidBefore: bigint;
  #heardAtMs: number | undefined;

  /** @param said the sequence of the last frame that this process sent */
  constructor(said: () => bigint) {
    this.#said = said;
    this.#saidBefore = said();
  }

  /** For as long as it is, this link stays silent. */
  get isThere(): boolean {
    return this.#heardAtMs !== undefined;
  }

  /** When it has not been heard for so long; Infinity where it is not there. */
  silentUntilMs(ms: number): number {
    return this.#heardAtMs === undefined ? Infinity : this.#heardAtMs + ms;
  }

  /** Takes in what this process said, on a link whose MAC is `mac`; whether that is news of a sibling before which it stays silent. */
  hear({ sequence, message }: Heard, mac: Mac, nowMs: number): boolean {
    const isOld = sequence <= this.#saidBefore || sequence + newsWithin < this.#said();
    if (isOld || mac <= message.mac) return false;
    const isNews = this.#heardAtMs === undefined;
    this.#heardAtMs = nowMs;
    return isNews;
  }

  /** The link has another MAC. */
  rename(): void {
    this.#saidBefore = this.#said();
  }

  forget(): void {
    this.#heardAtMs = undefined;
  }
}
