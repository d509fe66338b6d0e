import { percentile } from '../lab/percentiles.ts';
import type { Announcing } from './announcing.ts';
import type { Assigning, Cpu, Round } from './assigning.ts';

/** What one run found, by number of Services. */
export type Finding = {
  readonly services: number;
  readonly seconds: number;
  readonly assigning: Assigning;
  readonly announcing: Announcing;
};

/** A line of the table, and what it says of one finding. */
type Line = readonly [name: string, say: (finding: Finding) => string];

const lines: readonly Line[] = [
  ['**Created at once, with the operator running**', () => ''],
  ['all created after', ({ assigning: { created } }) => seconds(created.createdSeconds)],
  ['all assigned after', ({ assigning: { created } }) => seconds(created.assignedSeconds)],
  ['Service status writes', ({ assigning: { created } }) => writes(created.requests)],
  ['of these without effect', ({ assigning: { created } }) => String(created.vain)],
  ['operator: CPU', ({ assigning: { created } }) => seconds(created.operator.cpuSeconds)],
  ['operator: resident', ({ assigning: { created } }) => megabytes(created.operator.residentMb)],
  ['**All waiting when the operator starts** (median)', () => ''],
  ['ceiling: bare loop', ({ assigning }) => rate(assigning.rounds, (r) => r.ceilingPerSecond)],
  ['operator', ({ assigning }) => rate(assigning.rounds, (r) => r.operatorPerSecond)],
  ['operator ÷ ceiling, median of the rounds', ({ assigning }) => ratio(assigning.rounds)],
  [
    'CPU per write: bare loop / server',
    ({ assigning, services }) =>
      cpu(
        assigning.rounds.map((r) => r.ceilingCpu),
        services,
      ),
  ],
  [
    'CPU per write: operator / server',
    ({ assigning, services }) =>
      cpu(
        assigning.rounds.map((r) => r.operatorCpu),
        services,
      ),
  ],
  [
    'cores in use: bare loop and server',
    ({ assigning: { rounds }, services }) =>
      cores(rounds, (r) => [r.ceilingCpu, services / r.ceilingPerSecond]),
  ],
  [
    'cores in use: operator and server',
    ({ assigning: { rounds }, services }) =>
      cores(rounds, (r) => [r.operatorCpu, services / r.operatorPerSecond]),
  ],
  ['**The same, and `kill -9` at half**', () => ''],
  ['first to last assignment', ({ assigning: { killed } }) => seconds(killed.seconds)],
  ['Service status writes', ({ assigning: { killed } }) => writes(killed.requests)],
  ['of these without effect', ({ assigning: { killed } }) => String(killed.vain)],
  ['**Operator restarted when all are assigned**', () => ''],
  ['ready after', ({ assigning: { restarted } }) => seconds(restarted.readySeconds)],
  ['writes', ({ assigning: { restarted } }) => String(writesBesideTheLease(restarted.requests))],
  ['resident', ({ assigning: { restarted } }) => megabytes(restarted.operator.residentMb)],
  ['**All waiting, with a speaker**', () => ''],
  ['first to last assignment', ({ announcing }) => seconds(announcing.assignedSeconds)],
  [
    'first assignment to last announcement',
    ({ announcing }) => seconds(announcing.announcedSeconds),
  ],
  [
    'speaker: CPU, planning / on the wire',
    ({ announcing: { speaker } }) =>
      `${seconds(speaker.mainSeconds)} / ${seconds(speaker.wireSeconds)}`,
  ],
  ['speaker: resident', ({ announcing: { speaker } }) => megabytes(speaker.residentMb)],
];

/** The findings side by side, as Markdown. */
export function formatTable(findings: readonly Finding[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    row(['Services', ...findings.map(({ services }) => services.toLocaleString('en'))]),
    row(['---', ...findings.map(() => '--:')]),
    ...lines.map(([name, say]) => row([name, ...findings.map(say)])),
  ].join('\n');
}

/** Every kind of request that the operator made while so many Services were created, as Markdown. */
export function formatRequests(findings: readonly Finding[]): string {
  const names = new Set(
    findings.flatMap(({ assigning }) => Object.keys(assigning.created.requests)),
  );
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    row([
      'Request of the operator',
      ...findings.map(({ services }) => services.toLocaleString('en')),
    ]),
    row(['---', ...findings.map(() => '--:')]),
    ...[...names]
      .toSorted()
      .map((name) =>
        row([
          name,
          ...findings.map(({ assigning }) => String(assigning.created.requests[name] ?? 0)),
        ]),
      ),
  ].join('\n');
}

const seconds = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} s`;
const megabytes = (value: number): string => `${value.toFixed(0)} MB`;

function writes(requests: Readonly<Record<string, number>>): string {
  return Object.entries(requests)
    .filter(([name]) => name.startsWith('patch services/status'))
    .map(([name, count]) => (/ (\d+)$/.test(name) ? `${count} refused or cut off` : String(count)))
    .join(', ');
}

const writesBesideTheLease = (requests: Readonly<Record<string, number>>): number =>
  Object.entries(requests)
    .filter(([name]) => !/^(get|list|watch) | leases| \d{3}$/.test(name))
    .reduce((sum, [, count]) => sum + count, 0);

const rate = (rounds: readonly Round[], of: (round: Round) => number): string =>
  `${median(rounds.map(of)).toFixed(0)}/s`;

const ratio = (rounds: readonly Round[]): string =>
  median(rounds.map((r) => r.operatorPerSecond / r.ceilingPerSecond)).toFixed(2);

function cpu(rounds: readonly Cpu[], services: number): string {
  const perWrite = (of: (round: Cpu) => number): string =>
    ((median(rounds.map(of)) / services) * 1_000).toFixed(2);
  return `${perWrite((r) => r.writer)} / ${perWrite((r) => r.apiServer + r.etcd)} ms`;
}

const cores = (rounds: readonly Round[], of: (round: Round) => readonly [Cpu, number]): string =>
  median(
    rounds.map((round) => {
      const [{ writer, apiServer, etcd }, elapsed] = of(round);
      return (writer + apiServer + etcd) / elapsed;
    }),
  ).toFixed(2);

const median = (samples: readonly number[]): number => percentile(samples, 50);
