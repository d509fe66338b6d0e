import type { Candidate } from './core/rank.ts';
import type { Quarantines } from './guard.ts';
import type { Duty, PlanChange } from './plan-change.ts';

/** The plan as the wire thread knows it, change by change. Most addresses have the same candidates, and share one list. */
export class Duties {
  readonly #duties = new Map<string, Duty>();
  readonly #quarantines = new Map<string, readonly string[]>();
  #lists = new Map<string, readonly Candidate[]>();

  /** By canonical address. */
  get all(): ReadonlyMap<string, Duty> {
    return this.#duties;
  }

  /** The nodes that have found another station to have an address, by address. */
  get quarantines(): Quarantines {
    return this.#quarantines;
  }

  /** Takes in a change; returns it with the lists that are shared. */
  adopt({ whole, put, removed }: PlanChange): PlanChange {
    if (whole) {
      this.#duties.clear();
      this.#quarantines.clear();
    }
    for (const address of removed) {
      this.#duties.delete(address);
      this.#quarantines.delete(address);
    }
    // Where one list came for many addresses, it is looked up once.
    const known = new Map<readonly Candidate[], readonly Candidate[]>();
    const shared = new Map<string, Duty>();
    for (const [address, duty] of put) {
      const candidates = known.get(duty.candidates) ?? this.#shared(duty.candidates);
      known.set(duty.candidates, candidates);
      shared.set(address, { ...duty, candidates });
    }
    for (const [address, duty] of shared) {
      this.#duties.set(address, duty);
      if (duty.quarantinedBy === undefined) this.#quarantines.delete(address);
      else this.#quarantines.set(address, duty.quarantinedBy);
    }
    if (this.#lists.size > 2 * this.#duties.size) this.#forgetLists();
    return { whole, put: shared, removed };
  }

  #shared(candidates: readonly Candidate[]): readonly Candidate[] {
    const key = keyOf(candidates);
    const list = this.#lists.get(key) ?? candidates;
    this.#lists.set(key, list);
    return list;
  }

  /** Those that no address has any more. */
  #forgetLists(): void {
    const lists = new Set(this.#duties.values().map(({ candidates }) => candidates));
    this.#lists = new Map(lists.values().map((list) => [keyOf(list), list]));
  }
}

const keyOf = (candidates: readonly Candidate[]): string =>
  candidates.map(({ node, score }) => `${node} ${score}`).join();
