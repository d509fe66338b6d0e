import type { Pool } from '../crds/pool.ts';
import { formatAddress } from '../net/address.ts';
import { rangesContain } from '../net/range.ts';
import type { Holding } from './ledger.ts';
import { type Refusal, refusal } from './reasons.ts';
import { rosterOf } from './roster.ts';

/** What a Service is told that gets an address for which, as far as is known, nobody answers. */
export function findUnreachable(
  held: Pick<Holding, 'addresses' | 'pool'> | undefined,
  pools: readonly Pool[],
): Refusal | undefined {
  const pool = held && rosterOf(pools).named(held.pool);
  const ranges = pool?.unreachable ?? [];
  const address = held?.addresses.find((each) => rangesContain(ranges, each));
  if (pool === undefined || address === undefined) return undefined;
  const detail = `as far as is known nobody answers for ${formatAddress(address)} of pool ${pool.name}: no node has an address in its network`;
  return refusal('UnreachableNetwork', detail);
}
