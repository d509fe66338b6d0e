import type { Family } from '../net/address.ts';

/** The namespace of a Service's key, `namespace/name`. */
export const namespaceOf = (service: string): string => service.slice(0, service.indexOf('/'));

/** How many addresses of a pool each namespace has, by family. What is not counted costs nothing. */
export class NamespaceUse {
  readonly #pools = new Map<string, Map<string, number>>();

  of(pool: string, family: Family, namespace: string): number {
    return this.#pools.get(pool)?.get(`${family}/${namespace}`) ?? 0;
  }

  count(pool: string, family: Family, namespace: string, step: 1 | -1): void {
    let use = this.#pools.get(pool);
    if (use === undefined) this.#pools.set(pool, (use = new Map()));
    const key = `${family}/${namespace}`;
    const now = (use.get(key) ?? 0) + step;
    if (now > 0) use.set(key, now);
    else use.delete(key);
    if (use.size === 0) this.#pools.delete(pool);
  }
}
