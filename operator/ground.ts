import { selectsPool } from '../crds/advertisement.ts';
import type { Model } from '../crds/model.ts';
import type { Occupied, Pool, Siege, Sighting } from '../crds/pool.ts';
import type { Problem } from '../crds/problem.ts';
import { compareAddresses, formatAddress } from '../net/address.ts';
import {
  formatRange,
  intersection,
  type Range,
  rangesOverlap,
  subtractRanges,
} from '../net/range.ts';
import { unusable } from '../net/unusable.ts';
import { excludes } from './pool-addresses.ts';
import { describeSiege, inOrder, strangersIn } from './strangers.ts';

/** What the cluster is known to have around it. */
export type Ground = {
  readonly occupied: readonly Occupied[];
  /** What machines outside the cluster use. */
  readonly foreign?: readonly Sighting[];
  /** Every network in which some node stands; undefined while that is not known of all nodes. */
  readonly reach: readonly Range[] | undefined;
  /** Where pools lie. */
  readonly namespace: string;
};

/** The model on this ground: each pool with what of it is somebody's already, and what is wrong with where it lies. */
export function placeModel(model: Model, ground: Ground): Model {
  const { occupied, foreign = [], reach, namespace } = ground;
  const problems: Problem[] = [];
  const sightings = inOrder(foreign);
  // All nodes have the same router.
  const distinct = [...distinctOf(occupied), ...ofNobody];
  const pools = model.pools.map((pool) => {
    const within = distinct.filter(({ range }) =>
      pool.ranges.some((own) => rangesOverlap(own, range)),
    );
    const placed = within.length === 0 ? pool : { ...pool, occupied: within };
    const strangers = strangersIn(placed, sightings);
    const unreachable = reach === undefined ? [] : outOf(reach, pool, model);
    const faults = [
      ...within.flatMap((one) => clash(pool, one)),
      ...unusableIn(pool),
      ...(strangers?.siege === undefined ? [] : [besieged(strangers.siege)]),
      ...remoteness(unreachable),
    ];
    const about = { kind: 'IPAddressPool', namespace, name: pool.name } as const;
    problems.push(...faults.map((fault) => ({ ...about, ...fault })));
    if (strangers === undefined && unreachable.length === 0) return placed;
    return {
      ...placed,
      ...(strangers && { foreign: strangers }),
      ...(unreachable.length > 0 && { unreachable }),
    };
  });
  return { ...model, pools, problems: [...model.problems, ...problems] };
}

type Fault = Pick<Problem, 'reason' | 'detail'>;

const ofNobody: readonly Occupied[] = unusable.map(({ range, what }) => ({ range, by: what }));

/** Whoever wrote such addresses meant others: the pool says so, even of a single one. */
function unusableIn({ ranges }: Pool): readonly Fault[] {
  return unusable.flatMap(({ range, what }) => {
    const own = ranges.find((each) => rangesOverlap(each, range));
    if (own === undefined) return [];
    const shared = formatRange(intersection(own, range));
    const detail = `spec.addresses has ${shared}, which no Service can have (${what}): take it out; nobody gets an address of it`;
    return [{ reason: 'UnusableAddresses', detail }];
  });
}

/** One address of a node in a pool is left out and that is that; a whole network is a mistake. */
function clash({ ranges }: Pool, one: Occupied): readonly Fault[] {
  const { range, by } = one;
  const own = ranges.find((each) => rangesOverlap(each, range));
  if (own === undefined || range.first === range.last || ofNobody.includes(one)) return [];
  const shared = formatRange(intersection(own, range));
  const detail = `spec.addresses has ${shared}, which is ${by}: take it out; nobody gets an address of it`;
  return [{ reason: 'OccupiedNetwork', detail }];
}

const besieged = (siege: Siege): Fault => ({
  reason: 'PoolQuarantined',
  detail:
    `${describeSiege(siege)}${siege.isMost ? ', and Services are not moved out of its way any more' : ''}: if it is a router ` +
    'that answers for whole networks (proxy ARP or NDP), turn that off on this link; if the addresses are its own, list ' +
    'them in spec.exclude',
});

/** Of several that have the same, always the same one is named: a message must not depend on who was heard last. */
function distinctOf(occupied: readonly Occupied[]): readonly Occupied[] {
  const found = new Map<string, Occupied>();
  for (const one of occupied) {
    const key = formatRange(one.range);
    const known = found.get(key);
    if (known === undefined || one.by < known.by) found.set(key, one);
  }
  return [...found.values()];
}

// A sentence, not a report.
const withheldNamed = 3;

/** Which single addresses of a pool are not handed out because they are somebody's; whole networks are faults. */
export function describeWithheld(pool: Pool): string | undefined {
  const withheld = (pool.occupied ?? [])
    .filter((one) => one.range.first === one.range.last && !ofNobody.includes(one))
    .map(({ range: { family, first: value }, by }) => ({ address: { family, value }, by }))
    .filter(({ address }) => !excludes(pool, address))
    .toSorted((a, b) => compareAddresses(a.address, b.address));
  if (withheld.length === 0) return undefined;
  const named = withheld
    .slice(0, withheldNamed)
    .map(({ address, by }) => `${formatAddress(address)} (${by})`);
  const rest = withheld.length - named.length;
  return `${named.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

/** On links that an advertisement names, addresses may be of other networks: somebody routes them there. */
function outOf(reach: readonly Range[], pool: Pool, { advertisements }: Model): readonly Range[] {
  const selecting = advertisements.filter((advertisement) => selectsPool(advertisement, pool));
  if (selecting.some(({ interfaces }) => interfaces.length > 0)) return [];
  return subtractRanges(pool.ranges, reach);
}

function remoteness([remote]: readonly Range[]): readonly Fault[] {
  if (remote === undefined) return [];
  const detail =
    `no node has an address in the network of ${formatRange(remote)}, so nobody answers for these: ` +
    'use addresses of a network that a node stands in (kubectl get nodenetworks -A), or name the links in spec.interfaces of an L2Advertisement';
  return [{ reason: 'UnreachableNetwork', detail }];
}
