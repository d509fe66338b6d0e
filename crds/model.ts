import { formatRange } from '../net/range.ts';
import { type Advertisement, readAdvertisement, selectsPool } from './advertisement.ts';
import { defaultNamespace } from './names.ts';
import { findOverlaps } from './overlaps.ts';
import { isRecord, type Problem, quote } from './problem.ts';
import { type Pool, readPool } from './pool.ts';
import { compareAges, compareNames, problemOf, readWritten, type Written } from './written.ts';

/** Everything the objects say, as far as it can be read; pools and advertisements in name order. */
export type Model = {
  readonly pools: readonly Pool[];
  readonly advertisements: readonly Advertisement[];
  readonly problems: readonly Problem[];
};

/** What the API server holds of our kinds, as it sent it. */
export type Objects = {
  readonly pools: readonly unknown[];
  readonly advertisements: readonly unknown[];
  /** The only namespace whose objects count. */
  readonly namespace?: string;
};

/**
 * Reads all objects at once. Any JSON may come in: what cannot be read becomes a problem of its
 * own object and never disturbs another. A faulty edit leaves the form the object had in
 * `previous` in force, and a pool closed. The order of the objects does not matter.
 */
export function readModel(objects: Objects, previous?: Model): Model {
  const { namespace = defaultNamespace } = objects;
  const problems: Problem[] = [];
  const ours = (kind: Problem['kind'], written: readonly unknown[]) =>
    keepOurs(kind, written, { namespace, problems });

  const poolsBefore = byName(previous?.pools);
  const readPools = ours('IPAddressPool', objects.pools).map((about) => {
    const { pool, problems: faults } = readPool(about, poolsBefore.get(about.name));
    problems.push(...faults);
    return { about, pool };
  });
  const pools = closeOverlapping(readPools, problems);

  const advertisementsBefore = byName(previous?.advertisements);
  const advertisements: Advertisement[] = [];
  const known = new Set(pools.map(({ name }) => name));
  for (const about of ours('L2Advertisement', objects.advertisements)) {
    const read = readAdvertisement(about, advertisementsBefore.get(about.name));
    problems.push(...read.problems);
    if (read.advertisement === undefined) continue;
    advertisements.push(read.advertisement);
    problems.push(...unknownPools(about, read.advertisement, known));
  }
  problems.push(...unannounced(readPools, advertisements));
  return { pools, advertisements, problems };
}

/** The problems of one object, for its condition. */
export const problemsOf = (
  model: Model,
  about: { readonly kind: Problem['kind']; readonly namespace?: string; readonly name: string },
): readonly Problem[] =>
  model.problems.filter(
    ({ kind, namespace, name }) =>
      kind === about.kind && name === about.name && namespace === about.namespace,
  );

const byName = <T extends { readonly name: string }>(all: readonly T[] = []): Map<string, T> =>
  new Map(all.map((one) => [one.name, one]));

/** The objects of our namespace, in name order. */
function keepOurs(
  kind: Problem['kind'],
  objects: readonly unknown[],
  into: { readonly namespace: string; readonly problems: Problem[] },
): Written[] {
  const { namespace, problems } = into;
  const kept: Written[] = [];
  for (const object of objects) {
    const about = readWritten(kind, object);
    if (about.name === '') {
      problems.push(problemOf(about, 'InvalidField', 'metadata.name is missing: give it a name'));
    } else if (about.namespace === undefined || about.namespace === namespace) {
      kept.push(about);
    } else {
      const detail =
        `the object is in namespace ${quote(about.namespace)}, where nobody reads it: ` +
        `create it in namespace "${namespace}" and delete this one`;
      problems.push(problemOf(about, 'WrongNamespace', detail));
    }
  }
  return kept.toSorted(compareNames);
}

type ReadPool = { readonly about: Written; readonly pool: Pool };

/** The older pool stays whole; the younger is closed and told about it. A pool that hands out nothing is in nobody's way. */
function closeOverlapping(readPools: readonly ReadPool[], problems: Problem[]): Pool[] {
  const byAge = readPools
    .filter(({ pool }) => pool.closed === undefined)
    .toSorted((a, b) => compareAges(a.about, b.about));
  const overlaps = findOverlaps(byAge.map(({ pool }) => pool.ranges));
  const ageOf = new Map(byAge.map(({ pool }, age) => [pool.name, age]));
  return readPools.map(({ about, pool }) => {
    const overlap = overlaps.get(ageOf.get(pool.name) ?? -1);
    const older = overlap === undefined ? undefined : byAge[overlap.older];
    if (overlap === undefined || older === undefined) return pool;
    const problem = problemOf(
      about,
      'OverlappingPools',
      `spec.addresses shares ${formatRange(overlap.shared)} with the older pool ` +
        `${quote(older.pool.name)}: take it out of one of the two; until then this pool hands ` +
        'out nothing new, and what it has handed out stays',
    );
    problems.push(problem);
    return { ...pool, closed: problem };
  });
}

function unknownPools(
  about: Written,
  { poolNames }: Advertisement,
  known: ReadonlySet<string>,
): Problem[] {
  const missing = [...poolNames.entries()].filter(([, name]) => !known.has(name));
  return missing.map(([index, name]) =>
    problemOf(
      about,
      'UnknownPool',
      `spec.ipAddressPools[${index}] names ${quote(name)}, and there is no such pool ` +
        `(${listNames(known)}): correct the name or create the pool`,
    ),
  );
}

/** What nodes have as their own, they answer for themselves. */
const ofNodes = ({ spec }: Written): boolean => isRecord(spec) && spec['nodes'] !== undefined;

/** Addresses of such a pool are assigned, and then nobody can reach them. */
function unannounced(
  readPools: readonly ReadPool[],
  advertisements: readonly Advertisement[],
): Problem[] {
  const lonely = readPools.filter(
    ({ about, pool }) =>
      !ofNodes(about) && !advertisements.some((advertisement) => selectsPool(advertisement, pool)),
  );
  return lonely.map(({ about }) =>
    problemOf(
      about,
      'NoAdvertisement',
      'no L2Advertisement selects this pool, so its addresses are assigned but nobody answers ' +
        `for them: create an L2Advertisement that has ${quote(about.name)} in ` +
        'spec.ipAddressPools, or one without pools, which is for all',
    ),
  );
}

function listNames(names: ReadonlySet<string>): string {
  if (names.size === 0) return 'there are no pools yet';
  const first = [...names].slice(0, 5).map(quote).join(', ');
  return names.size <= 5 ? `there are ${first}` : `there are ${first} and ${names.size - 5} more`;
}
