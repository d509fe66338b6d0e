import type { Condition } from '../crds/conditions.ts';
import type { Pool } from '../crds/pool.ts';
import { isNodePool } from './node-addresses.ts';
import type { Counts } from './pool-counts.ts';
import { explainRefusal, refusal } from './reasons.ts';
import { countOthers } from './strangers.ts';

const fillingPercent = 80;
const nearlyFullPercent = 95;

/** Whether a pool has addresses left to give; one that is not known has none. */
export function judgeRoom(
  pool: Pool | undefined,
  counts: Counts,
): Pick<Condition, 'status' | 'reason' | 'message'> {
  const { readyNodes, quarantined } = counts;
  const families = familiesOf(counts);
  if (pool?.closed !== undefined) {
    const why = refusal('PoolClosed', 'it hands out nothing new');
    const message = explainRefusal(why, `addresses in use: ${countUsed(families)}`);
    return { status: 'False', reason: why.reason, message };
  }
  if (readyNodes === 0) {
    const why = refusal('NoReadyNode', 'no node that it selects is Ready');
    const message = explainRefusal(why, 'Services keep what they have');
    return { status: 'False', reason: why.reason, message };
  }
  // Any number of Services share a node, on ports of their own.
  if (readyNodes !== undefined)
    return { status: 'True', reason: 'RoomLeft', message: `${readyNodes} nodes give addresses` };
  // A pool that has nothing to give is not full: its other condition says what it is.
  if (families.length === 0)
    return {
      status: 'False',
      reason: 'NothingToGive',
      message: `it has no address to give${countOthers(quarantined)}`,
    };
  const percent = Math.max(
    ...families.map(({ assigned, available }) => (100 * assigned) / (assigned + available)),
  );
  const used = families.map(formatFamily).join(' and ');
  return {
    status: percent < 100 ? 'True' : 'False',
    reason: roomReason(percent),
    message: `${used} addresses in use${countOthers(quarantined)}`,
  };
}

function roomReason(percent: number): string {
  if (percent >= 100) return 'Exhausted';
  if (percent >= nearlyFullPercent) return 'NearlyFull';
  return percent >= fillingPercent ? 'Filling' : 'RoomLeft';
}

/** How much of a pool is in use, in a word or two for a column: `1 of 240`, of both families together. */
export function formatInUse(pool: Pool | undefined, counts: Counts): string {
  const families = familiesOf(counts);
  const used = countUsed(families);
  if (pool?.closed !== undefined) return used === 0 ? 'closed' : `${used}, closed`;
  if (pool !== undefined && isNodePool(pool)) return 'by port';
  if (families.length > 1) return families.map(formatFamily).join(', ');
  return families[0] === undefined ? '0 of 0' : formatPart(families[0]);
}

type Part = { readonly family: string; readonly assigned: number; readonly available: number };

/** The families of which a pool has anything. */
const familiesOf = (counts: Counts): readonly Part[] =>
  [
    { family: 'IPv4', assigned: counts.assignedIPv4, available: counts.availableIPv4 },
    { family: 'IPv6', assigned: counts.assignedIPv6, available: counts.availableIPv6 },
  ].filter(({ assigned, available }) => assigned + available > 0);

const countUsed = (families: readonly Part[]): number =>
  families.reduce((sum, { assigned }) => sum + assigned, 0);

const formatFamily = (part: Part): string => `${formatPart(part)} ${part.family}`;

/** Where counting stops, the number would be a wrong one. */
const formatPart = ({ assigned, available }: Part): string =>
  `${assigned} of ${available < Number.MAX_SAFE_INTEGER ? assigned + available : 'more than 2^53'}`;
