import { isDeepStrictEqual } from 'node:util';
import { type Condition, readyCondition, readyType } from '../crds/conditions.ts';
import type { IPAddressPoolStatus } from '../crds/ip-address-pool.ts';
import type { Pool } from '../crds/pool.ts';
import type { Problem } from '../crds/problem.ts';
import type { KubeObject } from '../kube/object.ts';
import { compareAddresses, formatAddress } from '../net/address.ts';
import { describeWithheld } from './ground.ts';
import type { Ledger } from './ledger.ts';
import { isNodePool, type NodeWorld, stockOf } from './node-addresses.ts';
import { poolContains } from './pool-addresses.ts';
import { type Counts, countNames, countPool } from './pool-counts.ts';
import { formatInUse, judgeRoom } from './room.ts';

/** An IPAddressPool or L2Advertisement, as far as its status goes. */
export type Judged = KubeObject & {
  readonly status?: Partial<Omit<IPAddressPoolStatus, 'conditions' | 'holders' | 'readyNodes'>> & {
    /** `null` takes it away. */
    readonly readyNodes?: number | null;
    readonly holders?: readonly PoolHolder[];
    readonly conditions?: readonly Condition[];
  };
};

type Judgement = {
  readonly problems: readonly Problem[];
  readonly now: Date;
  /** What the object is, where it is a pool that counts. */
  readonly pool?: Pool | undefined;
};

/** The status that an object should have: its conditions, and for a pool who has how much of it. */
export function changeObjectStatus(
  object: Judged,
  { problems, now, pool }: Judgement,
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
  const withheld = pool && describeWithheld(pool);
  const conditions = [readyCondition(problems, { ...about(readyType), withheld })];
  if (use !== undefined) {
    const { name } = object.metadata;
    conditions.push(roomCondition(name, judgeRoom(pool, use), about(roomType)));
  }
  const judged = conditions.every((condition) => {
    const before = written.find(({ type }) => type === condition.type);
    return before !== undefined && sameCondition(condition, before);
  });
  const told =
    use === undefined ||
    ([...countNames, 'inUse' as const].every((name) => object.status?.[name] === use[name]) &&
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

function roomCondition(
  name: string,
  { status, reason, message }: ReturnType<typeof judgeRoom>,
  { now, generation, before }: { now: Date; generation?: number; before?: Condition },
): Condition {
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

type PoolHolder = NonNullable<IPAddressPoolStatus['holders']>[number];
export type PoolUse = Counts & { readonly inUse: string; readonly holders: readonly PoolHolder[] };

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
  const counts = countPool(pool, ledger.inUse(name));
  return { ...counts, inUse: formatInUse(pool, counts), holders };
}

const sameCondition = (a: Condition, b: Condition): boolean =>
  a.status === b.status &&
  a.reason === b.reason &&
  a.message === b.message &&
  a.observedGeneration === b.observedGeneration;
