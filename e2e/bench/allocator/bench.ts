import { measureChurn } from './churn.ts';
import { measureFilling, type Subject } from './filling.ts';
import type { Findings } from './report.ts';
import { measureSelecting } from './selecting.ts';

type Size = {
  /** A power of two, at most 65,536. */
  readonly addresses: number;
  readonly pools: number;
  readonly namespaces: number;
  readonly rounds: number;
  readonly steps: number;
};

/** Everything that is measured, one after the other in this process. */
export function bench({ addresses, pools, namespaces, rounds, steps }: Size): Findings {
  // RFC 2544 keeps 198.18.0.0/15 for benchmarks, RFC 3849 2001:db8::/32 for documentation.
  const four = { network: `198.18.0.0/${32 - Math.log2(addresses)}`, family: 'IPv4' } as const;
  const six = { network: '2001:db8::/64', family: 'IPv6' } as const;
  const filled = (held: number): string => `${held.toLocaleString('en')} held`;
  const subjects: readonly Subject[] = [four, six].map((each) => ({ ...each, held: addresses }));
  const fillings = subjects.map((subject) => ({
    pool: `${subject.network}, ${filled(subject.held)}`,
    filling: measureFilling(subject, rounds),
  }));
  const levels: readonly Subject[] = [
    ...[50, 95, 100].map((percent) => ({ ...four, held: Math.floor((addresses * percent) / 100) })),
    { ...six, held: addresses },
  ];
  const churns = levels.map((subject) => ({
    pool: `${subject.network}, ${filled(subject.held)}`,
    churn: measureChurn(subject, steps),
  }));
  return { fillings, churns, selecting: measureSelecting(pools, namespaces) };
}
