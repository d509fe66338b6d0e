import assert from 'node:assert/strict';
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readPlanFile, writePlanFile } from './plan-file.ts';
import type { Plan } from './plan.ts';

const folder = () => mkdtempDisposableSync(join(tmpdir(), 'mercurylb-plan-'));

const plan: Plan = new Map([
  [
    '198.51.100.1',
    { services: ['default/web'], candidates: [{ node: 'a', score: 3 }], links: undefined },
  ],
  ['2001:db8::1', { services: ['default/web'], candidates: [], links: ['eth0'] }],
  [
    '2001:db8::2',
    { services: ['default/web'], candidates: [], links: undefined, quarantinedBy: ['b'] },
  ],
]);

test('a plan that was kept is read back', () => {
  using state = folder();
  const kept = {
    plan,
    speakers: [{ node: 'a', addresses: ['192.0.2.1'], state: 'Ready' as const }],
  };
  writePlanFile(state.path, kept);
  assert.deepEqual(readPlanFile(state.path), kept);
});

test('a file that is missing, cut short or of another shape is no plan, and says why', () => {
  using state = folder();
  const read = () => readPlanFile(state.path);
  assert.equal(read().plan, undefined);
  for (const text of ['', '{"version":1,"addr', '[]', '{"version":2,"addresses":[]}', 'null']) {
    writeFileSync(join(state.path, 'plan.json'), text);
    const kept = read();
    assert.ok(kept.plan === undefined && kept.reason.length > 0, text);
  }
});

test('a plan that cannot be kept says why', () => {
  assert.match(writePlanFile('/proc/nowhere', { plan, speakers: [] }) ?? '', /ENOENT/);
});
