import type { Address, Family } from '../net/address.ts';

type PoolEntry = {
  readonly address: Address;
  readonly pool: string;
  /** Where in the list of its pool it stands. */
  turn: number;
};

type Listed<E> = { readonly entries: E[]; readonly use: Record<Family, number> };

/** The records of held addresses by the pool that each names, and how many there are of each family. */
export class PoolEntries<E extends PoolEntry> {
  readonly #pools = new Map<string, Listed<E>>();

  add(entry: E): void {
    let listed = this.#pools.get(entry.pool);
    if (listed === undefined) {
      listed = { entries: [], use: { IPv4: 0, IPv6: 0 } };
      this.#pools.set(entry.pool, listed);
    }
    entry.turn = listed.entries.push(entry) - 1;
    listed.use[entry.address.family]++;
  }

  /** While it still names the pool that it leaves. The last of the list takes its place there. */
  delete(entry: E): void {
    const listed = this.#pools.get(entry.pool);
    if (listed?.entries[entry.turn] !== entry) return;
    const { entries, use } = listed;
    const last = entries.pop();
    if (last !== undefined && last !== entry) {
      entries[entry.turn] = last;
      last.turn = entry.turn;
    }
    use[entry.address.family]--;
    if (entries.length === 0) this.#pools.delete(entry.pool);
  }

  of(pool: string): Iterable<E> {
    return this.#pools.get(pool)?.entries ?? [];
  }

  use(pool: string): Readonly<Record<Family, number>> {
    return this.#pools.get(pool)?.use ?? { IPv4: 0, IPv6: 0 };
  }
}
