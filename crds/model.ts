import type { Range } from '../net/range.ts';
import type { Problem } from './problem.ts';
import { matches, type Selector } from './selector.ts';

/** One IPAddressPool, checked. Its ranges are sorted and none overlaps another. */
export type Pool = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ranges: readonly Range[];
  /** False: only Services that ask for this pool or one of its addresses draw from it. */
  readonly autoAssign: boolean;
  /** IPv4 addresses that end in .0 or .255 are not part of the pool. */
  readonly avoidBuggyIPs: boolean;
  /** Whom the pool is for; absent: everybody. */
  readonly allocation?: Allocation;
  /** Why the pool hands out nothing new; what it has handed out stays with its holders. */
  readonly closed?: Problem;
};

/** Namespaces are a union of names and selectors; an empty list of either asks for nothing. */
export type Allocation = {
  /** The smaller positive one goes first; 0 goes after all others. */
  readonly priority: number;
  readonly namespaces: ReadonlySet<string>;
  readonly namespaceSelectors: readonly Selector[];
  readonly serviceSelectors: readonly Selector[];
};

/** One L2Advertisement, checked. Every list of selectors means "any of these"; empty means all. */
export type Advertisement = {
  readonly name: string;
  readonly poolNames: readonly string[];
  readonly poolSelectors: readonly Selector[];
  readonly nodeSelectors: readonly Selector[];
  /** Names of network interfaces; empty: every interface. */
  readonly interfaces: readonly string[];
  readonly serviceSelectors: readonly Selector[];
  readonly preferredNodes: readonly { readonly weight: number; readonly selector: Selector }[];
};

/** Everything the objects say, as far as it can be read; pools and advertisements in name order. */
export type Model = {
  readonly pools: readonly Pool[];
  readonly advertisements: readonly Advertisement[];
  readonly problems: readonly Problem[];
};

/** Neither names nor selectors: the advertisement is for every pool. */
export function selectsPool(advertisement: Advertisement, pool: Pool): boolean {
  const { poolNames, poolSelectors } = advertisement;
  if (poolNames.length === 0 && poolSelectors.length === 0) return true;
  return (
    poolNames.includes(pool.name) ||
    poolSelectors.some((selector) => matches(selector, pool.labels))
  );
}
