import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench } from './bench.ts';
import { measureChurn } from './churn.ts';
import { measureFilling } from './filling.ts';
import { formatFindings } from './report.ts';

test('the bench runs at a tiny size, and has a figure for everything', () => {
  const findings = bench({ addresses: 64, pools: 4, namespaces: 20, rounds: 2, steps: 20 });
  assert.deepEqual(
    findings.fillings.map(({ filling }) => filling.rounds.length),
    [2, 2],
  );
  for (const { churn } of findings.churns) assert.equal(churn.tenthsCpuNs.length, 10);
  const report = formatFindings(findings);
  assert.match(report, /198\.18\.0\.0\/26, 64 held/);
  assert.doesNotMatch(report, /NaN|Infinity|undefined/);
});

const lan = { network: '198.18.0.0/16', family: 'IPv4' } as const;
// What lies in the caches of a processor costs less: up to twice that was seen. A search over what is taken would cost
// as many times more as there are more addresses, which is 32 times.
const most = 6;

test('an address costs the same in a pool that is 32 times as large', () => {
  const cpuNs = (held: number): number => {
    const { rounds } = measureFilling({ ...lan, held }, 5);
    return Math.min(...rounds.map(({ cpuMs }) => (cpuMs * 1e6) / held));
  };
  const [small, large] = [cpuNs(2_048), cpuNs(65_536)];
  assert.ok(large < most * small, `${large} ns instead of ${small} ns`);
});

test('and so does the only free one of a full pool', () => {
  const cpuNs = (held: number, length: number): number => {
    const network = `198.18.0.0/${length}`;
    return Math.min(...measureChurn({ ...lan, network, held }, 20_000).tenthsCpuNs);
  };
  const [small, large] = [cpuNs(2_048, 21), cpuNs(65_536, 16)];
  assert.ok(large < most * small, `${large} ns instead of ${small} ns`);
});
