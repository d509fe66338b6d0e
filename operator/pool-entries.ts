import type { Address, Family } from '../net/address.ts';

type PoolEntry = { readonly address: Address; readonly pool: string };

/** The records of held addresses by the pool that each names, and how many there are of each family. */
export class PoolEntries<E extends PoolEntry> {
  readonly #pools = new Map<
    string,
    { readonly entries: Set<E>; readonly use: Record<Family, number> }
  >();

  add(entry: E): void {
    let known = this.#pools.get(entry.pool);
    if (known === undefined) {
      known = { entries: new Set(), use: { IPv4: 0, IPv6: 0 } };
      this.#pools.set(entry.pool, known);
    }
    known.entries.add(entry);
    known.use[entry.address.family]++;
  }

  /** While it still names the pool that it leaves. */
  delete(entry: E): void {
    const known = this.#pools.get(entry.pool);
    if (known?.entries.delete(entry) !== true) return;
    known.use[entry.address.family]--;
    if (known.entries.size === 0) this.#pools.delete(entry.pool);
  }

  of(pool: string): Iterable<E> {
    return this.#pools.get(pool)?.entries ?? [];
  }

  use(pool: string): Readonly<Record<Family, number>> {
    return this.#pools.get(pool)?.use ?? { IPv4: 0, IPv6: 0 };
  }
}
