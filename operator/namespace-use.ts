import type { Family } from '../net/address.ts';

/** The namespace of a Service's key, `namespace/name`. */
export const namespaceOf = (service: string): string => service.slice(0, service.indexOf('/'));

type Use = Readonly<Record<Family, Map<string, number>>>;

/** How many addresses of a pool each namespace has, by family. What is not counted costs nothing. */
export class NamespaceUse {
  readonly #pools = new Map<string, Use>();

  of(pool: string, family: Family, namespace: string): number {
    return this.#pools.get(pool)?.[family].get(namespace) ?? 0;
  }

  count(pool: string, family: Family, namespace: string, step: 1 | -1): void {
    let use = this.#pools.get(pool);
    if (use === undefined) this.#pools.set(pool, (use = { IPv4: new Map(), IPv6: new Map() }));
    const now = (use[family].get(namespace) ?? 0) + step;
    if (now > 0) use[family].set(namespace, now);
    else use[family].delete(namespace);
    if (use.IPv4.size + use.IPv6.size === 0) this.#pools.delete(pool);
  }
}
