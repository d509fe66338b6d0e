import type { Allocation, Pool } from '../crds/pool.ts';
import type { Requirement } from '../crds/selector.ts';
import type { Request } from './request.ts';

type Labels = Readonly<Record<string, string>>;

/** All pools, arranged for the questions that every request asks of them. */
export type Roster = {
  named(name: string): Pool | undefined;
  readonly open: Turns;
  readonly closed: Turns;
  /** Those of which machines outside the cluster use something. */
  readonly visited: readonly Pool[];
};

/** With a thousand pools, each for some namespaces, a Service need not be held against all of them. */
type Turns = {
  /**
   * Every pool that assigns to this Service by itself, and perhaps some that do not, in the order in which they are
   * tried: those with a serviceAllocation, by priority, before those for everybody; equals by name.
   */
  mayServe(request: Request, namespaceLabels: Labels): readonly Pool[];
};

const rosters = new WeakMap<readonly Pool[], Roster>();

/** Arranged once for each reading of the objects, which are asked for much more often than they change. */
export function rosterOf(pools: readonly Pool[]): Roster {
  let roster = rosters.get(pools);
  if (roster === undefined) rosters.set(pools, (roster = arrange(pools)));
  return roster;
}

function arrange(pools: readonly Pool[]): Roster {
  const byName = new Map(pools.map((pool) => [pool.name, pool]));
  return {
    named: (name) => byName.get(name),
    open: arrangeTurns(pools.filter(({ closed }) => closed === undefined)),
    closed: arrangeTurns(pools.filter(({ closed }) => closed !== undefined)),
    visited: pools.filter(({ foreign }) => foreign !== undefined),
  };
}

function arrangeTurns(pools: readonly Pool[]): Turns {
  const inTurn = pools.toSorted(compareTurns);
  const turns = new Map(inTurn.map((pool, turn) => [pool, turn]));
  const unbound: Pool[] = [];
  const bound = new Map<string, Pool[]>();
  for (const pool of inTurn) {
    const marks = marksOf(pool);
    if (marks === undefined) unbound.push(pool);
    for (const mark of marks ?? []) {
      const others = bound.get(mark);
      if (others === undefined) bound.set(mark, [pool]);
      else others.push(pool);
    }
  }
  const inTheirTurn = (a: Pool, b: Pool): number => (turns.get(a) ?? 0) - (turns.get(b) ?? 0);
  return {
    mayServe({ service, namespace }, namespaceLabels) {
      if (bound.size === 0) return unbound;
      const marks = [serviceMark(service), namespaceMark(namespace)];
      for (const [key, value] of Object.entries(namespaceLabels)) marks.push(labelMark(key, value));
      const meant = marks.flatMap((mark) => bound.get(mark) ?? []);
      if (meant.length === 0) return unbound;
      return [...new Set([...meant, ...unbound])].toSorted(inTheirTurn);
    },
  };
}

// None of the parts can hold a blank.
const serviceMark = (service: string): string => `service ${service}`;
const namespaceMark = (namespace: string): string => `namespace ${namespace}`;
const labelMark = (key: string, value: string): string => `label ${key} ${value}`;

/**
 * Marks of which a Service bears at least one when a pool assigns to it by itself; undefined where there are none to go
 * by, as for a pool that is for everybody.
 */
function marksOf({ autoAssign, allocation, reservations }: Pool): readonly string[] | undefined {
  const reserved = [...(reservations?.keys() ?? [])].map(serviceMark);
  if (!autoAssign) return reserved;
  const marks = allocation === undefined ? undefined : marksOfNamespaces(allocation);
  return marks && [...reserved, ...marks];
}

function marksOfNamespaces({
  namespaces,
  namespaceSelectors,
}: Allocation): readonly string[] | undefined {
  if (namespaces.size === 0 && namespaceSelectors.length === 0) return undefined;
  const marks = [...namespaces].map(namespaceMark);
  for (const selector of namespaceSelectors) {
    const requirement = selector.find(isOfValues);
    if (requirement === undefined) return undefined;
    marks.push(...requirement.values.map((value) => labelMark(requirement.key, value)));
  }
  return marks;
}

const isOfValues = ({ operator }: Requirement): boolean => operator === 'In';

/** Pools with a serviceAllocation first, by priority (0 means none: last), then by name. */
function compareTurns(a: Pool, b: Pool): number {
  const [left, right] = [turnOf(a), turnOf(b)];
  if (left !== right) return left < right ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

// After every priority that JSON can carry, before the pools for everybody.
const withoutPriority = 2 ** 53;

function turnOf({ allocation }: Pool): number {
  if (allocation === undefined) return Number.POSITIVE_INFINITY;
  return allocation.priority > 0 ? allocation.priority : withoutPriority;
}
