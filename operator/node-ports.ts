/** A Service that has a port of the nodes of a pool. */
type Rival = {
  readonly service: string;
  readonly pool: string;
  /** `TCP/80`. */
  readonly port: string;
  /** It came first. */
  readonly ahead: boolean;
};

type Claim = { readonly pool: string; readonly ports: readonly string[] };

/**
 * Who has which port of the nodes, in the order in which they came. On a node a port is one Service's, also while that
 * Service is not served there: its endpoints may come at any time.
 */
export class NodePorts {
  readonly #claims = new Map<string, Claim>();
  readonly #ports = new Map<string, Map<string, string>>();

  /** `service` has these ports of a pool, and no others. Those that it had there before keep their place. */
  claim(service: string, pool: string, ports: readonly string[]): void {
    const before = this.#claims.get(service);
    for (const port of before?.ports ?? [])
      if (before?.pool !== pool || !ports.includes(port)) this.#strike(service, port);
    this.#claims.set(service, { pool, ports });
    for (const port of ports) {
      const claimants = this.#ports.get(port);
      if (claimants === undefined) this.#ports.set(port, new Map([[service, pool]]));
      else claimants.set(service, pool);
    }
  }

  release(service: string): void {
    for (const port of this.#claims.get(service)?.ports ?? []) this.#strike(service, port);
    this.#claims.delete(service);
  }

  /** Everybody who has a port at all. */
  get services(): Iterable<string> {
    return this.#claims.keys();
  }

  has(service: string): boolean {
    return this.#claims.has(service);
  }

  /** Who else has one of these ports, of whichever pool. Where `service` has none of `pool` yet, all came before it. */
  rivalsOf(service: string, pool: string, ports: readonly string[]): readonly Rival[] {
    return ports.flatMap((port) => {
      let ahead = true;
      const rivals: Rival[] = [];
      for (const [other, at] of this.#ports.get(port) ?? []) {
        if (other !== service) rivals.push({ service: other, pool: at, port, ahead });
        else if (at === pool) ahead = false;
      }
      return rivals;
    });
  }

  #strike(service: string, port: string): void {
    const claimants = this.#ports.get(port);
    claimants?.delete(service);
    if (claimants?.size === 0) this.#ports.delete(port);
  }
}
