/**
 * Why an object of ours does not do all that it says, gravest first. The same word stands in the
 * condition, the event, the log field and the metric label.
 */
export const problemReasons = [
  'WrongNamespace',
  'InvalidAddresses',
  'OverlappingRanges',
  'InvalidSelector',
  'InvalidField',
  'OverlappingPools',
  'UnusableAddresses',
  'OccupiedNetwork',
  'PoolQuarantined',
  'UnknownPool',
  'NoAdvertisement',
  'UnreachableNetwork',
] as const;
export type ProblemReason = (typeof problemReasons)[number];

/** One fault of one object. The detail says what is wrong, where, and what to do about it. */
export type Problem = {
  readonly kind: 'IPAddressPool' | 'L2Advertisement';
  readonly namespace?: string;
  readonly name: string;
  readonly reason: ProblemReason;
  readonly detail: string;
};

/** Somebody's input as it may stand in a message: quoted, escaped, and no longer than a line. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}

/** How a person would name the type of a JSON value. */
export function nameType(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `the ${typeof value} ${quote(value)}`;
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
