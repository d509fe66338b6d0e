import { type Condition, readyCondition, readyType } from '../crds/conditions.ts';
import type { IPAddressPoolStatus } from '../crds/ip-address-pool.ts';
import type { Pool } from '../crds/pool.ts';
import type { Problem } from '../crds/problem.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Family } from '../net/address.ts';
import { poolSize } from './pool-addresses.ts';

/** An IPAddressPool or L2Advertisement, as far as its status goes. */
export type Judged = KubeObject & {
  readonly status?: Partial<Omit<IPAddressPoolStatus, 'conditions'>> & {
    readonly conditions?: readonly Condition[];
  };
};

type Judgement = { readonly problems: readonly Problem[]; readonly now: Date };

export type Counts = Readonly<
  Record<'assignedIPv4' | 'assignedIPv6' | 'availableIPv4' | 'availableIPv6', number>
>;

/** The status that an object should have: its condition, and for a pool its counts. */
export function changeObjectStatus(
  object: Judged,
  { problems, now }: Judgement,
  counts?: Counts,
): Judged['status'] | undefined {
  const conditions = object.status?.conditions ?? [];
  const before = conditions.find(({ type }) => type === readyType);
  const { generation } = object.metadata;
  const about = {
    now,
    ...(generation === undefined ? {} : { generation }),
    ...(before === undefined ? {} : { before }),
  };
  const condition = readyCondition(problems, about);
  const judged = before !== undefined && sameCondition(condition, before);
  const counted =
    counts === undefined || countNames.every((name) => object.status?.[name] === counts[name]);
  if (judged && counted) return undefined;
  const others = conditions.filter(({ type }) => type !== readyType);
  return { ...counts, conditions: [...others, condition] };
}

/** Distinct addresses; shared ones count once. */
export function countPool(pool: Pool | undefined, inUse: Readonly<Record<Family, number>>): Counts {
  const size = pool === undefined ? { IPv4: 0n, IPv6: 0n } : poolSize(pool);
  return {
    assignedIPv4: inUse.IPv4,
    assignedIPv6: inUse.IPv6,
    availableIPv4: countFree(size.IPv4, inUse.IPv4),
    availableIPv6: countFree(size.IPv6, inUse.IPv6),
  };
}

/** JSON numbers are exact up to 2^53-1; larger pools stop counting there, as their schema says. */
function countFree(size: bigint, used: number): number {
  const free = size - BigInt(used);
  if (free <= 0n) return 0;
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  return Number(free < most ? free : most);
}

const countNames = ['assignedIPv4', 'assignedIPv6', 'availableIPv4', 'availableIPv6'] as const;

const sameCondition = (a: Condition, b: Condition): boolean =>
  a.status === b.status &&
  a.reason === b.reason &&
  a.message === b.message &&
  a.observedGeneration === b.observedGeneration;
