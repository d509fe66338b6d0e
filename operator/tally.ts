import type { Counts } from './pool-counts.ts';
import type { Reason } from './reasons.ts';

/** Where numbers go. */
export type Tally = {
  assigned(pool: string): void;
  refused(reason: Reason): void;
  pool(name: string, counts: Counts): void;
  poolGone(name: string): void;
  /** Forgets what is true only for the leader. */
  reset(): void;
};
