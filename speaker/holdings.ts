import type { HeldHere } from './l2-record.ts';
import type { Fact, Held } from './orders.ts';
import type { Plan } from './plan.ts';
import { isSameList } from './same-list.ts';

/** What this node holds, as the wire thread told it, and which Services that is for. */
export class Holdings {
  /** By address, and then by link: each link has a holder of its own. */
  readonly #held = new Map<string, Map<string, HeldHere>>();
  #plan: Plan = new Map();
  #addressesOf = new Map<string, readonly string[]>();

  /** Takes in a fact; returns the Services that it changes. */
  note(fact: Fact, now: Date): readonly string[] {
    if (fact.kind === 'mac') return this.#renumber(fact);
    if (fact.kind !== 'held' && fact.kind !== 'yielded') return [];
    const links = this.#held.get(fact.address) ?? new Map();
    if (fact.kind === 'held') links.set(fact.link, { fact, since: now });
    else links.delete(fact.link);
    if (links.size > 0) this.#held.set(fact.address, links);
    else this.#held.delete(fact.address);
    return this.servicesOf(fact.address);
  }

  /** The Services that have this address, as `namespace/name`. */
  servicesOf(address: string): readonly string[] {
    return this.#plan.get(address)?.services ?? [];
  }

  /** Takes in a plan; returns the Services of which this node holds something else now. */
  adopt(plan: Plan): readonly string[] {
    const before = this.#addressesOf;
    this.#plan = plan;
    this.#addressesOf = byService(plan);
    const services = new Set([...before.keys(), ...this.#addressesOf.keys()]);
    return [...services].filter(
      (service) => !isSameList(before.get(service), this.#addressesOf.get(service)),
    );
  }

  /** The addresses that the plan has for the Service. */
  plannedFor(service: string): readonly string[] {
    return this.#addressesOf.get(service) ?? [];
  }

  /** What this node holds of a Service's addresses, link by link. */
  of(service: string): readonly HeldHere[] {
    return this.plannedFor(service).flatMap((address) => [
      ...(this.#held.get(address)?.values() ?? []),
    ]);
  }

  /** Every address held here, link by link, with the Services it is held for. */
  *all(): Generator<{ readonly fact: Held; readonly services: readonly string[] }> {
    for (const links of this.#held.values()) {
      for (const { fact } of links.values())
        yield { fact, services: this.servicesOf(fact.address) };
    }
  }

  /** What is held on a link goes on under its new MAC. */
  #renumber({ link, mac }: Fact & { readonly kind: 'mac' }): readonly string[] {
    const services = new Set<string>();
    for (const [address, links] of this.#held) {
      const here = links.get(link);
      if (here === undefined) continue;
      links.set(link, { ...here, fact: { ...here.fact, mac } });
      for (const service of this.servicesOf(address)) services.add(service);
    }
    return [...services];
  }
}

function byService(plan: Plan): Map<string, readonly string[]> {
  const addresses = new Map<string, readonly string[]>();
  for (const [address, { services }] of plan) {
    for (const service of services) {
      const others = addresses.get(service);
      // Nearly every Service has one address; a spread makes room for many.
      addresses.set(service, others === undefined ? [address] : [...others, address]);
    }
  }
  return addresses;
}
