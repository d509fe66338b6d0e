import { type Address, formatAddress } from '../net/address.ts';
import { GroupSocket } from './io/group-socket.ts';
import type { Link } from './io/link.ts';
import { neighboursOf } from './wire/family.ts';

/**
 * More at once would keep pulses and questions waiting: to join 64 groups takes a millisecond, where there are 10,000
 * already, five (measured on two shared cores).
 */
const mostPerTurn = 64;

/**
 * Keeps a link in the groups to which questions about the held addresses are sent: several addresses can share one. A
 * few are joined or left in each turn.
 */
export class Memberships implements Disposable {
  readonly #socket: GroupSocket;
  #wanted: ReadonlyMap<string, Address> = new Map();
  readonly #joined = new Map<string, Address>();
  /** Groups that the link would not join; it is asked again after it changed. */
  readonly #refused = new Set<string>();
  /** Groups to join or to leave, the oldest first. */
  readonly #due = new Set<string>();

  constructor(link: Link) {
    this.#socket = new GroupSocket(link);
  }

  /** Whether `settle` has nothing to do. */
  get settled(): boolean {
    return this.#due.size === 0;
  }

  /** How many groups the link would not join: it has no IPv6. */
  get refused(): number {
    return this.#refused.size;
  }

  /** From now on these addresses are held, and no others. */
  follow(addresses: readonly Address[]): void {
    const groups = addresses.flatMap((address) => {
      const group = neighboursOf(address.family).group(address);
      return group === undefined ? [] : [[formatAddress(group), group] as const];
    });
    this.#wanted = new Map(groups);
    for (const key of this.#refused) if (!this.#wanted.has(key)) this.#refused.delete(key);
    for (const key of this.#wanted.keys()) {
      if (!this.#joined.has(key) && !this.#refused.has(key)) this.#due.add(key);
    }
    for (const key of this.#joined.keys()) if (!this.#wanted.has(key)) this.#due.add(key);
  }

  /** The link has changed, and may have forgotten everything: all is joined anew. */
  renew(): void {
    this.#refused.clear();
    for (const key of this.#wanted.keys()) this.#due.add(key);
  }

  /** Joins and leaves a few of what is left to do. */
  settle(): void {
    for (const key of this.#due.values().take(mostPerTurn)) {
      this.#due.delete(key);
      this.#carryOut(key);
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  #carryOut(key: string): void {
    const wanted = this.#wanted.get(key);
    const joined = this.#joined.get(key);
    if (joined !== undefined) this.#socket.leave(joined);
    this.#joined.delete(key);
    if (wanted === undefined) return;
    // Left and joined again in one breath, a group is not reported as left: the kernel waits a moment with reports.
    if (this.#socket.join(wanted)) this.#joined.set(key, wanted);
    else this.#refused.add(key);
  }
}
