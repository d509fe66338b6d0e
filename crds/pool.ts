import {
  compareRanges,
  formatRange,
  intersection,
  type Range,
  rangesOverlap,
} from '../net/range.ts';
import { readSelectors, readTexts, schemaProblems } from './fields.ts';
import { ipAddressPool } from './ip-address-pool.ts';
import { parseAddresses } from './notation.ts';
import { isRecord, nameType, type Problem, quote } from './problem.ts';
import type { Selector } from './selector.ts';
import { problemOf, type Written } from './written.ts';

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
  const ranges = readRanges(about, spec['addresses'], problems);
  const allocation = readAllocation(about, spec['serviceAllocation'], problems);
  const read = {
    name: about.name,
    labels: about.labels,
    ranges,
    // The schema has judged their types; absent, they are what its defaults say.
    autoAssign: spec['autoAssign'] !== false,
    avoidBuggyIPs: spec['avoidBuggyIPs'] === true,
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

function readAllocation(
  about: Written,
  written: unknown,
  problems: Problem[],
): Allocation | undefined {
  if (!isRecord(written)) return undefined;
  const selectors = (field: 'namespaceSelectors' | 'serviceSelectors') =>
    readSelectors(about, written[field], `spec.serviceAllocation.${field}`, problems);
  const { priority, namespaces } = written;
  return {
    priority: typeof priority === 'number' ? priority : 0,
    namespaces: new Set(readTexts(namespaces)),
    namespaceSelectors: selectors('namespaceSelectors'),
    serviceSelectors: selectors('serviceSelectors'),
  };
}
