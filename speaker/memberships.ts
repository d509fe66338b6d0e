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
  readonly #link: Link;
  #socket: GroupSocket;
  /** What the socket before had joined stays joined until this one has done the same, so that no switch forgets us. */
  readonly #before: GroupSocket[] = [];
  #wanted: ReadonlyMap<string, Address> = new Map();
  readonly #joined = new Map<string, Address>();
  /** Groups that the link would not join; it is asked again after it changed. */
  readonly #refused = new Set<string>();
  #pending: (readonly [key: string, group: Address])[] = [];

  constructor(link: Link) {
    this.#link = link;
    this.#socket = new GroupSocket(link);
  }

  /** Whether `settle` has nothing to do. */
  get settled(): boolean {
    return this.#pending.length === 0;
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
    this.#plan();
  }

  /** The link has changed, and may have forgotten everything: all is joined anew. */
  renew(): void {
    if (this.#wanted.size === 0 && this.settled) return;
    this.#before.push(this.#socket);
    this.#socket = new GroupSocket(this.#link);
    this.#joined.clear();
    this.#refused.clear();
    this.#plan();
  }

  /** Joins and leaves a few of what is left to do. */
  settle(): void {
    for (const [key, group] of this.#pending.splice(0, mostPerTurn)) this.#carryOut(key, group);
    if (!this.settled) return;
    for (const socket of this.#before.splice(0)) socket.close();
  }

  [Symbol.dispose](): void {
    for (const socket of [...this.#before.splice(0), this.#socket]) socket.close();
  }

  #plan(): void {
    const fresh = [...this.#wanted].filter(
      ([key]) => !this.#joined.has(key) && !this.#refused.has(key),
    );
    const stale = [...this.#joined].filter(([key]) => !this.#wanted.has(key));
    this.#pending = [...fresh, ...stale];
  }

  #carryOut(key: string, group: Address): void {
    if (!this.#wanted.has(key)) {
      this.#socket.leave(group);
      this.#joined.delete(key);
    } else if (this.#socket.join(group)) {
      this.#joined.set(key, group);
    } else {
      this.#refused.add(key);
    }
  }
}
