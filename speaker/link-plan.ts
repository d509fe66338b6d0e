import { parseAddress } from '../net/address.ts';
import { rangeContains } from '../net/range.ts';
import type { Candidates, Siblings } from './core/action.ts';
import type { Candidate } from './core/rank.ts';
import type { Link } from './io/link.ts';
import type { Duty } from './plan-change.ts';

/** The plan as one link of a node sees it: where the node may not announce an address, it is no candidate for it. */
export class LinkPlan {
  readonly #node: string;
  /** One list for all addresses that share theirs. */
  readonly #others = new WeakMap<readonly Candidate[], readonly Candidate[]>();

  constructor(node: string) {
    this.#node = node;
  }

  candidates(duties: ReadonlyMap<string, Duty>, link: Link): Candidates {
    const candidates = new Map<string, readonly Candidate[]>();
    for (const [address, { candidates: all, links }] of duties) {
      candidates.set(address, mayAnnounce(address, links, link) ? all : this.#othersOf(all));
    }
    return candidates;
  }

  #othersOf(all: readonly Candidate[]): readonly Candidate[] {
    const others = this.#others.get(all) ?? all.filter(({ node }) => node !== this.#node);
    this.#others.set(all, others);
    return others;
  }
}

/** Of the addresses that have any. */
export const siblingsOf = (duties: ReadonlyMap<string, Duty>): Siblings =>
  new Map(
    duties
      .entries()
      .flatMap(([address, { siblings }]) => (siblings === undefined ? [] : [[address, siblings]])),
  );

/** On the links that are named; where none are, on those in the address's network. */
function mayAnnounce(
  address: string,
  links: readonly string[] | undefined,
  { name, networks }: Link,
): boolean {
  if (links !== undefined) return links.includes(name);
  const parsed = parseAddress(address);
  return parsed !== undefined && networks.some((network) => rangeContains(network, parsed));
}
