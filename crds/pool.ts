import type { Address } from '../net/address.ts';
import {
  compareRanges,
  formatRange,
  intersection,
  joinRanges,
  type Range,
  rangesContain,
  rangesOverlap,
} from '../net/range.ts';
import type { Foreign } from './node-network.ts';
import { readSelectors, readTexts, schemaProblems } from './fields.ts';
import { ipAddressPool } from './ip-address-pool.ts';
import { parseAddresses, parsePlaces } from './notation.ts';
import { type PoolNodes, readPoolNodes } from './pool-nodes.ts';
import { isRecord, nameType, type Problem, quote } from './problem.ts';
import type { Selector } from './selector.ts';
import { problemOf, type Written } from './written.ts';

/** One IPAddressPool, checked. Its ranges are sorted and none overlaps another. */
export type Pool = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ranges: readonly Range[];
  /** In place of ranges: the addresses of these nodes. */
  readonly nodes?: PoolNodes;
  /** False: only Services that ask for this pool or one of its addresses draw from it. */
  readonly autoAssign: boolean;
  /** IPv4 addresses that end in .0 or .255 are not part of the pool. */
  readonly avoidBuggyIPs: boolean;
  /** Never handed out, though in a range; sorted, and none overlaps another. */
  readonly excluded?: readonly Range[];
  /** What the cluster has of the ranges itself: never handed out. Not in the object; who knows the cluster adds it. */
  readonly occupied?: readonly Occupied[];
  /** What machines outside the cluster use of the ranges, by address as text. Not in the object either. */
  readonly foreign?: Strangers;
  /** What of the ranges lies in no network of a node, so that nobody is known to answer. Not in the object either. */
  readonly unreachable?: readonly Range[];
  /** Taken back from whoever has them though no pool gives them any more, in this pool or elsewhere. */
  readonly reclaimed?: readonly Range[];
  /** By `namespace/name` of the Service. */
  readonly reservations?: ReadonlyMap<string, readonly Address[]>;
  /** Only who has a reservation may ask for an address by value. */
  readonly pinningReserved?: true;
  /** Whom the pool is for; absent: everybody. */
  readonly allocation?: Allocation;
  /** Why the pool hands out nothing new; what it has handed out stays with its holders. */
  readonly closed?: Problem;
};

/** Addresses that are somebody's already; `by` says whose, as "an address of node a". */
export type Occupied = { readonly range: Range; readonly by: string };

/** An address that a machine outside the cluster uses, and who has seen it. */
export type Sighting = Foreign & { readonly node: string; readonly link: string };

/** The machines outside the cluster that use addresses of a pool. */
export type Strangers = {
  /** Never handed out: its next user would find it taken. */
  readonly quarantined: ReadonlyMap<string, Sighting>;
  /** In use by us, too: who has it keeps it, and may share it. */
  readonly contested: ReadonlyMap<string, Sighting>;
  /** One machine has much of the pool. */
  readonly siege?: Siege;
};

/** One of the addresses that a machine has, how many there are, and whether that is most of what the pool has. */
export type Siege = {
  readonly sighting: Sighting;
  readonly count: number;
  readonly isMost: boolean;
};

/** Namespaces are a union of names and selectors; an empty list of either asks for nothing. */
export type Allocation = {
  /** The smaller positive one goes first; 0 goes after all others. */
  readonly priority: number;
  readonly namespaces: ReadonlySet<string>;
  readonly namespaceSelectors: readonly Selector[];
  readonly serviceSelectors: readonly Selector[];
  /** The most addresses of each family that one namespace may have. */
  readonly maxPerNamespace?: number;
};

/**
 * One pool from its object. A faulty object gives the form that was read before, or else what of
 * it can be read, so that addresses already handed out still belong to a pool; and closed.
 */
export function readPool(
  about: Written,
  before: Pool | undefined,
): { readonly pool: Pool; readonly problems: readonly Problem[] } {
  const problems = schemaProblems(about, ipAddressPool.spec);
  const spec = isRecord(about.spec) ? about.spec : {};
  const nodes = readPoolNodes(about, spec, problems);
  const ofNodes = spec['nodes'] !== undefined && spec['addresses'] === undefined;
  const ranges = ofNodes ? [] : readRanges(about, spec['addresses'], problems);
  const excluded = readPlaces(about, spec['exclude'], { at: 'spec.exclude', problems });
  const reclaimed = readPlaces(about, spec['reclaim'], { at: 'spec.reclaim', problems });
  const reservations = readReservations(about, spec['reservations'], ranges, problems);
  const allocation = readAllocation(about, spec['serviceAllocation'], problems);
  const read = {
    name: about.name,
    labels: about.labels,
    ranges,
    ...(nodes === undefined ? {} : { nodes }),
    // The schema has judged their types; absent, they are what its defaults say.
    autoAssign: spec['autoAssign'] !== false,
    avoidBuggyIPs: spec['avoidBuggyIPs'] === true,
    ...(excluded.length === 0 ? {} : { excluded }),
    ...(reclaimed.length === 0 ? {} : { reclaimed }),
    ...(reservations.size === 0 ? {} : { reservations }),
    ...(spec['pinning'] === 'Reserved' ? { pinningReserved: true as const } : {}),
  };
  const [closed] = problems;
  // Half an allocation could turn holders away: of a faulty object it is left out.
  if (closed !== undefined)
    return { pool: { ...(before ?? read), labels: about.labels, closed }, problems };
  return { pool: { ...read, ...(allocation === undefined ? {} : { allocation }) }, problems };
}

/** The ranges in address order; those that overlap are reported and joined. */
function readRanges(about: Written, written: unknown, problems: Problem[]): Range[] {
  const fault = (detail: string) => problems.push(problemOf(about, 'InvalidAddresses', detail));
  if (!Array.isArray(written) || written.length === 0) {
    const found = Array.isArray(written) ? 'empty' : nameType(written);
    fault(`spec.addresses is ${found}: list the addresses to hand out, like 198.51.100.224/28`);
    return [];
  }
  const parsed: { at: string; range: Range }[] = [];
  for (const [index, item] of written.entries()) {
    const at = `spec.addresses[${index}]`;
    if (typeof item !== 'string') {
      fault(`${at} is ${nameType(item)}: write text like 198.51.100.224/28`);
      continue;
    }
    const range = parseAddresses(item);
    if ('problem' in range) fault(`${at}: ${range.problem}`);
    else parsed.push({ at: `${at} (${quote(item)})`, range });
  }
  return joinOverlaps(about, parsed, problems);
}

function joinOverlaps(
  about: Written,
  parsed: readonly { readonly at: string; readonly range: Range }[],
  problems: Problem[],
): Range[] {
  const joined: { at: string; range: Range }[] = [];
  for (const item of parsed.toSorted((a, b) => compareRanges(a.range, b.range))) {
    const last = joined.at(-1);
    if (last === undefined || !rangesOverlap(last.range, item.range)) {
      joined.push(item);
      continue;
    }
    const shared = formatRange(intersection(last.range, item.range));
    const detail = `${item.at} and ${last.at} share ${shared}: take it out of one of them`;
    problems.push(problemOf(about, 'OverlappingRanges', detail));
    if (item.range.last > last.range.last) {
      joined[joined.length - 1] = {
        at: item.at,
        range: { ...last.range, last: item.range.last },
      };
    }
  }
  return joined.map(({ range }) => range);
}

type Reporting = { readonly at: string; readonly problems: Problem[] };

/** Ranges and single addresses, sorted and joined. What cannot be read is reported and left out. */
function readPlaces(about: Written, written: unknown, { at, problems }: Reporting): Range[] {
  const ranges = readTexts(written).flatMap((text, index) => {
    const place = parsePlaces(text);
    if (!('problem' in place)) return [place];
    problems.push(problemOf(about, 'InvalidAddresses', `${at}[${index}]: ${place.problem}`));
    return [];
  });
  return joinRanges(ranges);
}

/** Reserved addresses that are not the pool's, or are reserved twice, are reported and left out. */
function readReservations(
  about: Written,
  written: unknown,
  ranges: readonly Range[],
  problems: Problem[],
): Map<string, readonly Address[]> {
  const reservations = new Map<string, readonly Address[]>();
  const owners = new Map<string, string>();
  for (const [index, item] of (Array.isArray(written) ? written : []).entries()) {
    if (!isRecord(item)) continue;
    const at = `spec.reservations[${index}].addresses`;
    const service = `${String(item['namespace'])}/${String(item['service'])}`;
    const addresses: Address[] = [];
    for (const place of readPlaces(about, item['addresses'], { at, problems })) {
      const { family, first } = place;
      const text = formatRange(place);
      const fault = (why: string) =>
        problems.push(problemOf(about, 'InvalidAddresses', `${at}: ${quote(text)} ${why}`));
      const owner = owners.get(text);
      if (place.first !== place.last) fault('is more than one address: write each by itself');
      else if (!rangesContain(ranges, { family, value: first }))
        fault('is not in spec.addresses: add it there, or reserve another one');
      else if (owner !== undefined)
        fault(`is reserved for ${owner} already: take one of the two out`);
      else {
        owners.set(text, service);
        addresses.push({ family, value: first });
      }
    }
    reservations.set(service, [...(reservations.get(service) ?? []), ...addresses]);
  }
  return reservations;
}

function readAllocation(
  about: Written,
  written: unknown,
  problems: Problem[],
): Allocation | undefined {
  if (!isRecord(written)) return undefined;
  const selectors = (field: 'namespaceSelectors' | 'serviceSelectors') =>
    readSelectors(about, written[field], `spec.serviceAllocation.${field}`, problems);
  const { priority, namespaces, maxPerNamespace } = written;
  return {
    priority: typeof priority === 'number' ? priority : 0,
    namespaces: new Set(readTexts(namespaces)),
    namespaceSelectors: selectors('namespaceSelectors'),
    serviceSelectors: selectors('serviceSelectors'),
    ...(typeof maxPerNamespace === 'number' ? { maxPerNamespace } : {}),
  };
}
