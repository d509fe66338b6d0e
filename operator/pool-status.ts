import { isDeepStrictEqual } from 'node:util';
import { type Condition, readyCondition, readyType } from '../crds/conditions.ts';
import type { IPAddressPoolStatus } from '../crds/ip-address-pool.ts';
import type { Pool } from '../crds/pool.ts';
import type { Problem } from '../crds/problem.ts';
import type { KubeObject } from '../kube/object.ts';
import { compareAddresses, type Family, formatAddress } from '../net/address.ts';
import type { Ledger } from './ledger.ts';
import { isNodePool, type NodeWorld, stockOf } from './node-addresses.ts';
import { poolContains, poolSize } from './pool-addresses.ts';
import { explainRefusal, refusal } from './reasons.ts';
import { countOthers } from './strangers.ts';

/** An IPAddressPool or L2Advertisement, as far as its status goes. */
export type Judged = KubeObject & {
  readonly status?: Partial<Omit<IPAddressPoolStatus, 'conditions' | 'holders' | 'readyNodes'>> & {
    /** `null` takes it away. */
    readonly readyNodes?: number | null;
    readonly holders?: readonly PoolHolder[];
    readonly conditions?: readonly Condition[];
  };
};

type Judgement = { readonly problems: readonly Problem[]; readonly now: Date };

export type Counts = Readonly<Record<(typeof countNames)[number], number>> & {
  /** Of a pool of nodes: how many give their addresses. */
  readonly readyNodes?: number;
};

/** The status that an object should have: its conditions, and for a pool who has how much of it. */
export function changeObjectStatus(
  object: Judged,
  { problems, now }: Judgement,
  use?: PoolUse,
): Judged['status'] | undefined {
  const written = object.status?.conditions ?? [];
  const { generation } = object.metadata;
  const about = (type: string) => {
    const before = written.find((one) => one.type === type);
    return {
      now,
      ...(generation === undefined ? {} : { generation }),
      ...(before === undefined ? {} : { before }),
    };
  };
  const conditions = [readyCondition(problems, about(readyType))];
  if (use !== undefined) conditions.push(roomCondition(object.metadata.name, use, about(roomType)));
  const judged = conditions.every((condition) => {
    const before = written.find(({ type }) => type === condition.type);
    return before !== undefined && sameCondition(condition, before);
  });
  const told =
    use === undefined ||
    (countNames.every((name) => object.status?.[name] === use[name]) &&
      (object.status?.readyNodes ?? undefined) === use.readyNodes &&
      isDeepStrictEqual(object.status?.holders ?? [], use.holders));
  if (judged && told) return undefined;
  const others = written.filter(({ type }) => !conditions.some((one) => one.type === type));
  const hadNodes = use !== undefined && typeof object.status?.readyNodes === 'number';
  return {
    ...(hadNodes ? { readyNodes: null } : {}),
    ...use,
    conditions: [...others, ...conditions],
  };
}

/** Whether a pool has addresses left. */
export const roomType = 'Room';
const fillingPercent = 80;
const nearlyFullPercent = 95;

function roomCondition(
  name: string,
  use: PoolUse,
  { now, generation, before }: { now: Date; generation?: number; before?: Condition },
): Condition {
  const { status, reason, message } = judgeRoom(use);
  return {
    type: roomType,
    status,
    reason,
    message: `pool ${name}: ${message}`,
    lastTransitionTime:
      before?.status === status
        ? before.lastTransitionTime
        : now.toISOString().replace(/\.\d+Z$/, 'Z'),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
}

function judgeRoom(use: PoolUse): Pick<Condition, 'status' | 'reason' | 'message'> {
  const { assignedIPv4, assignedIPv6, availableIPv4, availableIPv6, readyNodes, quarantined } = use;
  if (readyNodes === 0) {
    const message = explainRefusal(
      refusal('NoReadyNode', 'no node that it selects is Ready; Services keep what they have'),
    );
    return { status: 'False', reason: 'NoReadyNode', message };
  }
  // Any number of Services share a node, on ports of their own.
  if (readyNodes !== undefined)
    return { status: 'True', reason: 'RoomLeft', message: `${readyNodes} nodes give addresses` };
  const families = [
    { family: 'IPv4', assigned: assignedIPv4, available: availableIPv4 },
    { family: 'IPv6', assigned: assignedIPv6, available: availableIPv6 },
  ].filter(({ assigned, available }) => assigned + available > 0);
  // 0 of 0: a pool that has nothing to give is not full, its other condition says what it is.
  const percents = families.map(
    ({ assigned, available }) => (100 * assigned) / (assigned + available),
  );
  const percent = Math.max(0, ...percents);
  const used = families.map(
    ({ family, assigned, available }) => `${assigned} of ${assigned + available} ${family}`,
  );
  return {
    status: percent < 100 ? 'True' : 'False',
    reason: roomReason(percent),
    message: `${used.join(' and ') || 'no'} addresses in use${countOthers(quarantined)}`,
  };
}

function roomReason(percent: number): string {
  if (percent >= 100) return 'Exhausted';
  if (percent >= nearlyFullPercent) return 'NearlyFull';
  return percent >= fillingPercent ? 'Filling' : 'RoomLeft';
}

type PoolHolder = NonNullable<IPAddressPoolStatus['holders']>[number];
export type PoolUse = Counts & { readonly holders: readonly PoolHolder[] };

/** A list for people, not a register: each Service says itself what it has. */
const mostHolders = 64;

/** What is used of a pool as it stands now, and by whom; of one that is gone, nothing is free. */
export function readUse(
  name: string,
  pool: Pool | undefined,
  ledger: Ledger,
  nodeWorld: NodeWorld,
): PoolUse {
  if (pool !== undefined && isNodePool(pool)) {
    const { stock, readyNodes } = stockOf(pool, nodeWorld);
    return { ...useOf(name, stock, ledger), readyNodes };
  }
  return useOf(name, pool, ledger);
}

function useOf(name: string, pool: Pool | undefined, ledger: Ledger): PoolUse {
  const held = [...ledger.heldUnder(name)].map(({ address, services }) => ({
    address,
    services,
    draining: pool === undefined || !poolContains(pool, address),
  }));
  const holders = held
    .toSorted(
      (a, b) => Number(b.draining) - Number(a.draining) || compareAddresses(a.address, b.address),
    )
    .slice(0, mostHolders)
    .map(({ address, services, draining }) => ({
      address: formatAddress(address),
      services: services.toSorted(),
      ...(draining ? { draining } : {}),
    }));
  return { ...countPool(pool, ledger.inUse(name)), holders };
}

/** Distinct addresses; shared ones count once. */
export function countPool(pool: Pool | undefined, inUse: Readonly<Record<Family, number>>): Counts {
  const size = pool === undefined ? { IPv4: 0n, IPv6: 0n } : poolSize(pool);
  return {
    assignedIPv4: inUse.IPv4,
    assignedIPv6: inUse.IPv6,
    availableIPv4: countFree(size.IPv4, inUse.IPv4),
    availableIPv6: countFree(size.IPv6, inUse.IPv6),
    quarantined: pool?.foreign?.quarantined.size ?? 0,
    contested: pool?.foreign?.contested.size ?? 0,
  };
}

/** JSON numbers are exact up to 2^53-1; larger pools stop counting there, as their schema says. */
function countFree(size: bigint, used: number): number {
  const free = size - BigInt(used);
  if (free <= 0n) return 0;
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  return Number(free < most ? free : most);
}

const countNames = [
  'assignedIPv4',
  'assignedIPv6',
  'availableIPv4',
  'availableIPv6',
  'quarantined',
  'contested',
] as const;

const sameCondition = (a: Condition, b: Condition): boolean =>
  a.status === b.status &&
  a.reason === b.reason &&
  a.message === b.message &&
  a.observedGeneration === b.observedGeneration;
