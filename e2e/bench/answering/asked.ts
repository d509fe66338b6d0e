import type { Percentiles } from '../../lab/percentiles.ts';

/** What became of questions; latencies of those that were answered, where each was waited for. */
export type Asked = {
  readonly questions: number;
  readonly answers: number;
  readonly latencyUs?: Percentiles;
};
