import { failuresToBeSick, sureAgainMs, wellAgainMs } from './timing.ts';

/**
 * What a node's checks say of it. Peers must not take a fault that everybody has for one of this node alone, and find out
 * at different moments; so between well and sick, both ways, lies a state in which nothing is moved because of it.
 */
export type Health =
  | 'well'
  /** A check failed just now, or may have, before this node began to check: counts as well, but the sick hand nothing over to it. */
  | 'unsure'
  /** Comes behind all that are well, and hands over to them what it holds. */
  | 'sick'
  /** Passes its checks again, not yet for long enough: still comes behind, and keeps what it holds. */
  | 'mending';

/** The better ones first. */
const order: readonly Health[] = ['well', 'unsure', 'mending', 'sick'];

/** A node is as well as the worst of its checks says. */
export const worstOf = (all: Iterable<Health>): Health =>
  order[Math.max(0, ...Array.from(all, (one) => order.indexOf(one)))] ?? 'well';

/** Whether it comes behind those that are not, whatever their scores. */
export const isSick = (health: Health): boolean => health === 'sick' || health === 'mending';

/** One check, and what its results so far amount to. */
export type Course = {
  readonly health: Health;
  readonly failuresInARow: number;
  readonly failedAtMs: number;
};

/** Nothing is known yet. */
export const unchecked: Course = { health: 'unsure', failuresInARow: 0, failedAtMs: -Infinity };

/**
 * What one more result of a check makes of it. Of what was before the first one nothing is known: where a fault that all
 * had has just ended, who starts then must not seem to be the only one that is well.
 */
export function follow(before: Course, hasPassed: boolean, nowMs: number): Course {
  const { health, failuresInARow } = before;
  const failedAtMs = before === unchecked ? nowMs : before.failedAtMs;
  if (!hasPassed) {
    const failures = failuresInARow + 1;
    const failed = { failuresInARow: failures, failedAtMs: nowMs };
    if (failures >= failuresToBeSick) return { ...failed, health: 'sick' };
    return { ...failed, health: isSick(health) ? health : 'unsure' };
  }
  const passed = { failuresInARow: 0, failedAtMs };
  const sinceMs = nowMs - failedAtMs;
  if (isSick(health)) return { ...passed, health: sinceMs < wellAgainMs ? 'mending' : 'well' };
  return { ...passed, health: sinceMs < sureAgainMs ? 'unsure' : 'well' };
}
