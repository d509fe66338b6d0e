import type { Address, Family } from '../net/address.ts';

/** The namespace of a Service's key, `namespace/name`. */
export const namespaceOf = (service: string): string => service.slice(0, service.indexOf('/'));

type Held = {
  readonly address: Address;
  readonly pool: string;
  readonly holders: readonly { readonly service: string }[];
};

type Use = Readonly<Record<Family, Map<string, number>>>;

/**
 * How many addresses of a pool each namespace has, by family; one that several of its Services share counts once. A
 * pool is counted from the first question on: most have no quota, and nobody ever asks.
 */
export class NamespaceUse {
  readonly #recordsOf: (pool: string) => Iterable<Held>;
  readonly #pools = new Map<string, Use>();

  /** `recordsOf`: the held addresses recorded under a pool. */
  constructor(recordsOf: (pool: string) => Iterable<Held>) {
    this.#recordsOf = recordsOf;
  }

  of(pool: string, family: Family, namespace: string): number {
    return (this.#pools.get(pool) ?? this.#count(pool))[family].get(namespace) ?? 0;
  }

  /** The holders of a record, or its pool, are about to change: it counts no more. */
  leave(record: Held): void {
    this.#step(record, -1);
  }

  /** The record is as it will stay for now, and counts again. */
  enter(record: Held): void {
    this.#step(record, 1);
  }

  #count(pool: string): Use {
    const use = { IPv4: new Map(), IPv6: new Map() };
    this.#pools.set(pool, use);
    for (const record of this.#recordsOf(pool)) this.enter(record);
    return use;
  }

  #step({ address, pool, holders }: Held, step: 1 | -1): void {
    const counted = this.#pools.get(pool);
    if (counted === undefined) return;
    const use = counted[address.family];
    for (const namespace of new Set(holders.map(({ service }) => namespaceOf(service)))) {
      const now = (use.get(namespace) ?? 0) + step;
      if (now > 0) use.set(namespace, now);
      else use.delete(namespace);
    }
    if (counted.IPv4.size + counted.IPv6.size === 0) this.#pools.delete(pool);
  }
}
