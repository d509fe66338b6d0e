import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Controller } from '../../operator/controller.ts';
import { breakages, breakController } from './broken.ts';
import type { ControllerClass } from './operator.ts';
import { play, search } from './play.ts';
import { type Fate, fates, type Step } from './schedule.ts';

// Always the same: whatever it finds one day, it finds every day. `make soak-allocate` looks further.
const budget = { runs: 120, seed: 4 };

/** What leads to writes, one after the other, where addresses are scarce. */
const story: readonly Step[] = [
  {
    kind: 'pool',
    name: 'p',
    wish: { addresses: ['198.51.100.1-198.51.100.3', '2001:db8::1/128'] },
  },
  { kind: 'pool', name: 'q', wish: { addresses: ['203.0.113.8/31'], autoAssign: false } },
  { kind: 'service', key: 'red/a', wish: {} },
  { kind: 'service', key: 'red/b', wish: { sharing: 'k' } },
  { kind: 'service', key: 'red/c', wish: { sharing: 'k', port: 443 } },
  { kind: 'service', key: 'blue/a', wish: { policy: 'PreferDualStack' } },
  { kind: 'service', key: 'red/a', wish: { pool: 'q' } },
  { kind: 'service', key: 'blue/b', wish: {} },
  { kind: 'service', key: 'blue/b', wish: { pool: 'r' } },
  { kind: 'service', key: 'red/c', wish: { sharing: 'k' } },
  { kind: 'foreign', seen: { '198.51.100.2': 'Quarantined', '2001:db8::1': 'Contested' } },
  { kind: 'delete service', key: 'blue/a' },
  { kind: 'pool', name: 'p', wish: { addresses: ['198.51.100.2-198.51.100.3'] } },
  { kind: 'pool', name: 'r', wish: { addresses: ['203.0.113.10/31'], reclaim: ['198.51.100.1'] } },
  { kind: 'service', key: 'red/b', wish: { type: 'ClusterIP' } },
];

/** Plays the story as often as it has writes; each time another one of them meets its fate. */
async function playWith(Operator: ControllerClass, fate: Fate): Promise<string | undefined> {
  const { fault, writes } = await play(Operator, story);
  if (fault !== undefined) return fault;
  assert.ok(writes >= 10, `${writes} writes are no story`);
  for (let index = 0; index < writes; index++) {
    const before = Array.from({ length: index }, (): Step => ({ kind: 'fate', fate: 'none' }));
    // Who has died is there again at once.
    const again = story.flatMap((step): Step[] => [step, { kind: 'operator', do: 'start' }]);
    const outcome = await play(Operator, [...before, { kind: 'fate', fate }, ...again]);
    if (outcome.fault !== undefined) return outcome.fault;
  }
  return undefined;
}

for (const fate of fates)
  test(`the laws of allocation hold when any one write meets its fate: ${fate}`, async () => {
    assert.equal(await playWith(Controller, fate), undefined);
  });

test('the laws of allocation hold whatever is edited, and whatever befalls the operator', async () => {
  assert.equal(await search(Controller, budget), undefined);
});

async function findFault(Operator: ControllerClass): Promise<string | undefined> {
  const fault = await playWith(Operator, 'refused');
  return fault ?? (await search(Operator, { ...budget, shrink: false }));
}

describe('an operator is found out that', () => {
  for (const name of Object.keys(breakages)) {
    test(name, async () => {
      assert.ok(await findFault(await breakController(name)), 'it passes for a good one');
    });
  }
});
