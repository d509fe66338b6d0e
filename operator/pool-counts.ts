import type { Pool } from '../crds/pool.ts';
import type { Family } from '../net/address.ts';
import { poolSize } from './pool-addresses.ts';

export const countNames = [
  'assignedIPv4',
  'assignedIPv6',
  'availableIPv4',
  'availableIPv6',
  'quarantined',
  'contested',
] as const;

export type Counts = Readonly<Record<(typeof countNames)[number], number>> & {
  /** Of a pool of nodes: how many give their addresses. */
  readonly readyNodes?: number;
};

/** Distinct addresses; shared ones count once. */
export function countPool(pool: Pool | undefined, inUse: Readonly<Record<Family, number>>): Counts {
  // What a closed pool has, nobody can get.
  const isOpen = pool !== undefined && pool.closed === undefined;
  const size = isOpen ? poolSize(pool) : { IPv4: 0n, IPv6: 0n };
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
