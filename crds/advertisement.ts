import { readSelectors, readTexts, schemaProblems } from './fields.ts';
import { l2Advertisement } from './l2-advertisement.ts';
import type { Pool } from './pool.ts';
import { isRecord, type Problem } from './problem.ts';
import { matches, parseSelector, type Selector } from './selector.ts';
import { problemOf, type Written } from './written.ts';

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

/** Neither names nor selectors: the advertisement is for every pool. */
export function selectsPool(
  advertisement: Advertisement,
  pool: Pick<Pool, 'name' | 'labels'>,
): boolean {
  const { poolNames, poolSelectors } = advertisement;
  if (poolNames.length === 0 && poolSelectors.length === 0) return true;
  return (
    poolNames.includes(pool.name) ||
    poolSelectors.some((selector) => matches(selector, pool.labels))
  );
}

/**
 * One advertisement from its object. A faulty object gives the form that was read before, and
 * nothing where there is none: half a restriction could announce from the wrong place.
 */
export function readAdvertisement(
  about: Written,
  before: Advertisement | undefined,
): { readonly advertisement: Advertisement | undefined; readonly problems: readonly Problem[] } {
  // `spec: {}`, or none at all, is the advertisement of every pool from everywhere.
  const present = { ...about, spec: about.spec ?? {} };
  const problems = schemaProblems(present, l2Advertisement.spec);
  const spec = isRecord(present.spec) ? present.spec : {};
  const selectors = (field: string) => readSelectors(about, spec[field], `spec.${field}`, problems);
  const advertisement: Advertisement = {
    name: about.name,
    poolNames: readTexts(spec['ipAddressPools']),
    poolSelectors: selectors('ipAddressPoolSelectors'),
    nodeSelectors: selectors('nodeSelectors'),
    interfaces: readTexts(spec['interfaces']),
    serviceSelectors: selectors('serviceSelectors'),
    preferredNodes: readPreferred(about, spec['preferredNodeSelectors'], problems),
  };
  return { advertisement: problems.length === 0 ? advertisement : before, problems };
}

function readPreferred(
  about: Written,
  written: unknown,
  problems: Problem[],
): Advertisement['preferredNodes'][number][] {
  if (!Array.isArray(written)) return [];
  const preferred: Advertisement['preferredNodes'][number][] = [];
  for (const [index, item] of written.entries()) {
    const { weight, preference } = isRecord(item) ? item : {};
    const at = `spec.preferredNodeSelectors[${index}].preference`;
    const selector = parseSelector(preference, at);
    if (typeof selector === 'string') {
      problems.push(problemOf(about, 'InvalidSelector', selector));
    } else if (typeof weight === 'number') {
      preferred.push({ weight, selector });
    }
  }
  return preferred;
}
