/** `make bench-kubernetes`: how fast Services are assigned and announced on the real API server. */
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { systemClock } from '../../daemon/clock.ts';
import { integerBetween, listOf } from '../../daemon/settings.ts';
import { fromRoot } from '../lab/programs.ts';
import { measureAnnouncing } from './announcing.ts';
import { measureAssigning } from './assigning.ts';
import { begin, leaveOnInterrupt } from './begin.ts';
import { openGround } from './ground.ts';
import { describeMachine } from './machine.ts';
import { type Finding, formatRequests, formatTable } from './report.ts';

const reportPath = fromRoot('e2e/bench/report.json');

const { SIZES: sizes, ROUNDS: rounds } = begin('make bench-kubernetes', {
  SIZES: {
    fallback: [100, 1_000, 10_000],
    parse: listOf(integerBetween(1, 20_000)),
    help: 'how many Services, one size after the other',
  },
  ROUNDS: {
    fallback: 3,
    parse: integerBetween(1, 100),
    help: 'how often the operator is put against the bare loop at each size',
  },
});
leaveOnInterrupt();

const findings: Finding[] = [];
for (const services of sizes) {
  process.stderr.write(`${services} Services …`);
  const startedAtMs = systemClock.nowMs();
  await using ground = await openGround();
  const assigning = await measureAssigning(ground, services, rounds);
  const announcing = await measureAnnouncing(ground, services);
  const seconds = Math.round((systemClock.nowMs() - startedAtMs) / 1_000);
  findings.push({ services, seconds, assigning, announcing });
  process.stderr.write(` ${seconds} s\n`);
}
const machine = await describeMachine();
writeFileSync(reportPath, `${JSON.stringify({ machine, findings }, undefined, 2)}\n`);
process.stdout.write(
  `${machine}\n\n${formatTable(findings)}\n\n${formatRequests(findings)}\n\nAll figures: ${relative('', reportPath)}\n`,
);
