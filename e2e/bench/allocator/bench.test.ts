import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bench } from './bench.ts';
import { formatFindings } from './report.ts';

test('the bench runs at a tiny size, and has a figure for everything', () => {
  const findings = bench({ addresses: 64, pools: 4, namespaces: 20, rounds: 2, steps: 20 });
  assert.deepEqual(
    findings.fillings.map(({ filling }) => filling.roundMs.length),
    [2, 2],
  );
  for (const { churn } of findings.churns) assert.equal(churn.tenthsNs.length, 10);
  const report = formatFindings(findings);
  assert.match(report, /198\.18\.0\.0\/26, 64 held/);
  assert.doesNotMatch(report, /NaN|Infinity|undefined/);
});
