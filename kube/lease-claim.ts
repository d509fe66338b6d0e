import type { Lease, LeaseSpec } from './object.ts';

/** What one candidate can say about a lease: who it is, and since when it has seen no change. */
type Observation = {
  readonly identity: string;
  readonly leaseSeconds: number;
  readonly unchangedMs: number;
};

type Verdict =
  | { readonly kind: 'create' }
  | { readonly kind: 'take'; readonly lease: Lease }
  | { readonly kind: 'wait'; readonly holder: string; readonly waitMs: number };

/**
 * Whether the lease may be had now. Nobody else's clock is read: a holder is gone when nothing has changed for as
 * long as it may act without renewing, counted here. That is its own duration where it says one, ours where that is
 * longer.
 */
export function judgeLease(lease: Lease | undefined, seen: Observation): Verdict {
  if (lease === undefined) return { kind: 'create' };
  const holder = lease.spec?.holderIdentity ?? '';
  if (holder === '' || holder === seen.identity) return { kind: 'take', lease };
  const theirs = Math.min(lease.spec?.leaseDurationSeconds ?? 0, mostSeconds);
  const waitMs = Math.max(theirs, seen.leaseSeconds) * 1_000 - seen.unchangedMs;
  return waitMs > 0 ? { kind: 'wait', holder, waitMs } : { kind: 'take', lease };
}

/** A lease that claims to last longer was not written by anything sane. */
const mostSeconds = 3_600;

/** The lease as it is when held; a change of hands is counted. */
export function claimLease(
  before: LeaseSpec | undefined,
  { identity, leaseSeconds }: Pick<Observation, 'identity' | 'leaseSeconds'>,
  wall: Date,
): LeaseSpec {
  const now = formatMicroTime(wall);
  const stays = before?.holderIdentity === identity;
  const transitions = before?.leaseTransitions ?? 0;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: leaseSeconds,
    acquireTime: stays ? (before.acquireTime ?? now) : now,
    renewTime: now,
    leaseTransitions: stays || before === undefined ? transitions : transitions + 1,
  };
}

/** Kubernetes' MicroTime: RFC 3339 with six digits of fraction. */
export function formatMicroTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}
