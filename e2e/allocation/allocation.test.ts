import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Controller } from '../../operator/controller.ts';
import { breakages, breakController } from './broken.ts';
import { play, search } from './play.ts';
import { fates, type Step } from './schedule.ts';

// Always the same: whatever it finds one day, it finds every day. `make soak-allocate` looks further.
const budget = { runs: 250, seed: 4 };

test('whatever is edited and whatever befalls the operator, the laws of allocation hold', async () => {
  assert.equal(await search(Controller, budget), undefined);
});

describe('an operator is found out that', () => {
  for (const name of Object.keys(breakages)) {
    test(name, async () => {
      const Broken = await breakController(name);
      assert.ok(await search(Broken, { ...budget, shrink: false }), 'it passes for a good one');
    });
  }
});

const lan = { addresses: ['198.51.100.1-198.51.100.2', '2001:db8::1-2001:db8::2'] };
/** Everything that leads to a write, one after the other; the addresses are scarce. */
const story: readonly Step[] = [
  { kind: 'pool', name: 'p', wish: lan },
  { kind: 'service', key: 'red/a', wish: {} },
  { kind: 'service', key: 'red/b', wish: { sharing: 'k' } },
  { kind: 'service', key: 'red/c', wish: { sharing: 'k', port: 443 } },
  { kind: 'service', key: 'blue/a', wish: { policy: 'PreferDualStack' } },
  { kind: 'service', key: 'red/a', wish: { pin: '198.51.100.1', port: 53 } },
  { kind: 'service', key: 'red/c', wish: { sharing: 'k' } },
  { kind: 'delete service', key: 'red/a' },
  { kind: 'pool', name: 'p', wish: { addresses: ['198.51.100.2-198.51.100.3'] } },
  { kind: 'pool', name: 'q', wish: { addresses: ['203.0.113.8/31'], reclaim: ['198.51.100.1'] } },
  { kind: 'service', key: 'red/b', wish: { type: 'ClusterIP' } },
];

for (const fate of fates)
  test(`the laws hold with any one write of a story ${fate}`, async () => {
    const without = await play(Controller, story);
    assert.equal(without.fault, undefined);
    assert.ok(without.writes > 10, `${without.writes} writes are no story`);
    for (let index = 0; index < without.writes; index++) {
      const before = Array.from({ length: index }, (): Step => ({ kind: 'fate', fate: 'none' }));
      // Who has died is there again at once.
      const again = story.flatMap((step): Step[] => [step, { kind: 'operator', do: 'start' }]);
      const { fault } = await play(Controller, [...before, { kind: 'fate', fate }, ...again]);
      assert.equal(fault, undefined);
    }
  });
