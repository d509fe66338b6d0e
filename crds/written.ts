import { isRecord, type Problem, type ProblemReason } from './problem.ts';

/** What every object of ours has, read so that no JSON can make it fail. */
export type Written = {
  readonly kind: Problem['kind'];
  readonly name: string;
  readonly namespace: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** RFC 3339 in UTC, so that text order is time order; empty where it is not known. */
  readonly created: string;
  readonly spec: unknown;
};

export function readWritten(kind: Problem['kind'], object: unknown): Written {
  const { metadata, spec } = isRecord(object) ? object : {};
  const { name, namespace, labels, creationTimestamp } = isRecord(metadata) ? metadata : {};
  const pairs = isRecord(labels) ? Object.entries(labels) : [];
  return {
    kind,
    name: typeof name === 'string' ? name : '',
    namespace: typeof namespace === 'string' ? namespace : undefined,
    labels: Object.fromEntries(
      pairs.filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
    ),
    created: typeof creationTimestamp === 'string' ? creationTimestamp : '',
    spec,
  };
}

export const problemOf = (about: Written, reason: ProblemReason, detail: string): Problem => ({
  kind: about.kind,
  ...(about.namespace === undefined ? {} : { namespace: about.namespace }),
  name: about.name,
  reason,
  detail,
});

/** Older first: by creation, then by name. An unknown creation is no claim to be old. */
export function compareAges(a: Written, b: Written): number {
  if (a.created !== b.created) {
    if (a.created === '' || b.created === '') return a.created === '' ? 1 : -1;
    return a.created < b.created ? -1 : 1;
  }
  return compareNames(a, b);
}

export const compareNames = (a: { name: string }, b: { name: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
