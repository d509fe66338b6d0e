import type { Candidates, Roster, Siblings } from './core/action.ts';
import type { Candidate } from './core/rank.ts';
import type { Link } from './io/link.ts';
import type { Duty } from './plan-change.ts';
import { isReached } from './reach.ts';
import { rosterOf, type Speaker } from './roster.ts';

type Here = {
  readonly candidates: Candidates;
  readonly roster: Roster;
  readonly siblings: Siblings;
};

/** The plan as one link of a node sees it: where the node may not announce an address, it is no candidate for it. */
export class LinkPlan {
  readonly #node: string;
  /** One list for all addresses that share theirs. */
  readonly #others = new WeakMap<readonly Candidate[], readonly Candidate[]>();

  constructor(node: string) {
    this.#node = node;
  }

  /** These addresses, and who else is to be heard there. */
  here(link: Link, duties: ReadonlyMap<string, Duty>, speakers: readonly Speaker[]): Here {
    const candidates = new Map<string, readonly Candidate[]>();
    for (const [address, { candidates: all, links }] of duties) {
      candidates.set(address, isReached(link, address, links) ? all : this.#othersOf(all));
    }
    const roster = rosterOf(speakers, link, this.#node);
    return { candidates, roster, siblings: siblingsOf(duties) };
  }

  #othersOf(all: readonly Candidate[]): readonly Candidate[] {
    const others = this.#others.get(all) ?? all.filter(({ node }) => node !== this.#node);
    this.#others.set(all, others);
    return others;
  }
}

/** Of the addresses that have any. */
const siblingsOf = (duties: ReadonlyMap<string, Duty>): Siblings =>
  new Map(
    duties
      .entries()
      .flatMap(([address, { siblings }]) => (siblings === undefined ? [] : [[address, siblings]])),
  );
