import { percentile, type Percentiles } from '../../lab/percentiles.ts';
import type { Churn } from './churn.ts';
import type { Filling } from './filling.ts';
import type { Selecting } from './selecting.ts';

export type Findings = {
  readonly fillings: readonly { readonly pool: string; readonly filling: Filling }[];
  readonly churns: readonly { readonly pool: string; readonly churn: Churn }[];
  readonly selecting: Selecting;
};

/** The findings as tables, as Markdown. */
export const formatFindings = ({ fillings, churns, selecting }: Findings): string =>
  [
    table(
      [
        'Filling a pool',
        'first',
        'median',
        'fastest',
        'CPU',
        'CPU per address',
        'memory per address',
      ],
      fillings.map(({ pool, filling }) => [pool, ...describeFilling(filling)]),
    ),
    table(
      ['A release and an allocation', 'CPU, first tenth', 'last tenth', 'median', 'p99', 'slowest'],
      churns.map(({ pool, churn }) => [pool, ...describeChurn(churn)]),
    ),
    table(
      ['A decision', 'median', 'p99', 'slowest'],
      [
        ['first of its namespace', ...describePercentiles(selecting.firstUs)],
        ['again, and it stays', ...describePercentiles(selecting.againUs)],
      ],
    ),
  ].join('\n\n');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, index) => (index === 0 ? '---' : '--:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

function describeFilling({ rounds, addresses, bytesPerAddress }: Filling): readonly string[] {
  const times = rounds.map(({ ms }) => ms);
  const [first = Number.NaN] = times;
  const cpuMs = percentile(
    rounds.map((round) => round.cpuMs),
    50,
  );
  return [
    ...[first, percentile(times, 50), percentile(times, 0), cpuMs].map(inMs),
    inNs((cpuMs * 1e6) / addresses),
    `${bytesPerAddress.toFixed(0)} B`,
  ];
}

const describeChurn = ({ tenthsCpuNs, p50Ns, p99Ns, maxNs }: Churn): readonly string[] => [
  ...[tenthsCpuNs[0], tenthsCpuNs.at(-1), p50Ns, p99Ns].map((ns = Number.NaN) => inNs(ns)),
  inMs(maxNs / 1e6),
];

const describePercentiles = ({ p50, p99, max }: Percentiles): readonly string[] => [
  ...[p50, p99].map((us) => `${us.toFixed(1)} µs`),
  inMs(max / 1_000),
];

const inMs = (ms: number): string => `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;

const inNs = (ns: number): string => `${ns.toFixed(0)} ns`;
