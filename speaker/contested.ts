import { type Address, formatAddress } from '../net/address.ts';
import { Schedule } from './schedule.ts';

/** A claim that goes on is told once in so long: whoever makes one repeats it with every frame. */
export const tellEveryMs = 10_000;
/** Who has not been heard for so long has given up: a station that has an address is asked for it more often. */
export const contestEndsMs = 60_000;
/** So many addresses are watched at a time; a sweep through all that are held must not fill memory and log. */
const mostContested = 256;

type Contest = { readonly address: Address; toldAtMs: number; heardAtMs: number };

/** The addresses that are answered for here, and that another station claims, too. Time comes in as an argument. */
export class Contested {
  readonly #contests = new Map<string, Contest>();
  readonly #schedule = new Schedule<Contest>();

  /** Another station claims this address. Returns whether that is to be told. */
  hear(address: Address, nowMs: number): boolean {
    const key = formatAddress(address);
    const contest = this.#contests.get(key);
    if (contest === undefined) {
      if (this.#contests.size >= mostContested) return false;
      const begun = { address, toldAtMs: nowMs, heardAtMs: nowMs };
      this.#contests.set(key, begun);
      this.#schedule.set(begun, nowMs + contestEndsMs);
      return true;
    }
    contest.heardAtMs = nowMs;
    if (nowMs < contest.toldAtMs + tellEveryMs) return false;
    contest.toldAtMs = nowMs;
    return true;
  }

  has(address: Address): boolean {
    return this.#contests.has(formatAddress(address));
  }

  /** The address is answered for no longer. */
  release(address: Address): void {
    const key = formatAddress(address);
    const contest = this.#contests.get(key);
    if (contest === undefined) return;
    this.#contests.delete(key);
    this.#schedule.delete(contest);
  }

  /** When `tick` has something to do. */
  dueAtMs(): number {
    return this.#schedule.nextMs();
  }

  /** The addresses that nobody else has claimed for long enough. */
  tick(nowMs: number): readonly Address[] {
    const ended: Address[] = [];
    for (;;) {
      const contest = this.#schedule.take(nowMs);
      if (contest === undefined) return ended;
      const endsAtMs = contest.heardAtMs + contestEndsMs;
      if (nowMs < endsAtMs) {
        this.#schedule.set(contest, endsAtMs);
      } else {
        this.#contests.delete(formatAddress(contest.address));
        ended.push(contest.address);
      }
    }
  }
}
