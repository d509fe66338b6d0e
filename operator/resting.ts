import type { Address, Family } from '../net/address.ts';

type Rest = { readonly address: Address; readonly untilMs: number };

/** Released addresses that are left alone for a while, all of them for the same time. */
export class Resting {
  readonly #ends: Readonly<Record<Family, Map<bigint, number>>> = {
    IPv4: new Map(),
    IPv6: new Map(),
  };
  /** In the order in which they end; also those that somebody has taken meanwhile. */
  #queue: Rest[] = [];
  /** Those before it have ended: a queue is not moved up for each of them. */
  #next = 0;

  has({ family, value }: Address): boolean {
    return this.#ends[family].has(value);
  }

  /** `untilMs` is never before that of an earlier call. */
  add(address: Address, untilMs: number): void {
    this.#ends[address.family].set(address.value, untilMs);
    this.#queue.push({ address, untilMs });
  }

  delete({ family, value }: Address): void {
    this.#ends[family].delete(value);
  }

  /** Takes out, and answers with, those whose rest is over. */
  wake(nowMs: number): readonly Address[] {
    const awake: Address[] = [];
    for (let rest = this.#queue[this.#next]; rest !== undefined; rest = this.#queue[this.#next]) {
      if (rest.untilMs > nowMs) break;
      this.#next++;
      const { address, untilMs } = rest;
      if (this.#ends[address.family].get(address.value) !== untilMs) continue;
      this.delete(address);
      awake.push(address);
    }
    if (this.#next > this.#queue.length / 2) {
      this.#queue = this.#queue.slice(this.#next);
      this.#next = 0;
    }
    return awake;
  }
}
