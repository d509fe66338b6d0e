import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { amendmentOf } from '../testing/amendment.ts';
import { FakeSegment } from '../testing/fake-segment.ts';
import type { Machine } from '../testing/machine.ts';
import type { Candidates, Siblings } from './action.ts';

const names = ['node-1', 'node-2', 'node-3'];
const addresses = Array.from({ length: 8 }, (_, index) => `198.51.100.${index + 1}`);

type Planned = { readonly candidates: Candidates; readonly siblings: Siblings };

const anyPlan: fc.Arbitrary<Planned> = fc
  .record({
    of: fc.dictionary(
      fc.constantFrom(...addresses),
      fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(0, 10)), { minLength: 1 }),
    ),
    twins: fc.boolean(),
  })
  .map(({ of, twins }) => {
    const candidates: Candidates = new Map(
      Object.entries(of).map(([address, all]) => [
        address,
        Array.from(new Map(all), ([node, score]) => ({ node, score })),
      ]),
    );
    const [one, other] = candidates.keys();
    const siblings: Siblings =
      twins && one !== undefined && other !== undefined
        ? new Map([
            [one, [other]],
            [other, [one]],
          ])
        : new Map();
    return { candidates, siblings };
  });

/** Everything in `put` that has other siblings now is in it, too. */
function withSiblings(before: Planned, next: Planned) {
  const { put, removed } = amendmentOf(before.candidates, next.candidates);
  const others = [...next.candidates].filter(
    ([address]) => String(before.siblings.get(address)) !== String(next.siblings.get(address)),
  );
  return { put: new Map([...put, ...others]), removed, siblings: next.siblings };
}

function stateOf(lan: FakeSegment) {
  return lan.nodes.map(({ name, segment }) => {
    assert(segment !== undefined);
    const { candidates, siblings, claims, vacancies, holdings, moves } = segment;
    return { name, candidates, siblings, claims, vacancies, holdings, moves };
  });
}

test('a plan that is amended and one that is told anew come to the same', () => {
  const steps = fc.array(fc.tuple(anyPlan, fc.constantFrom(0, 10, 300, 2_500)), { maxLength: 8 });
  fc.assert(
    fc.property(steps, fc.nat(1_000), (plans, seed) => {
      const [whole, amended] = [0, 1].map(() => {
        const lan = new FakeSegment({ seed, nodes: names.length });
        for (const node of lan.nodes) lan.start(node);
        return lan;
      });
      assert(whole !== undefined && amended !== undefined);
      let before: Planned = { candidates: new Map(), siblings: new Map() };
      for (const [plan, forMs] of plans) {
        const amendment = withSiblings(before, plan);
        for (const node of whole.nodes) whole.step(node, { kind: 'plan', ...plan });
        for (const node of amended.nodes) amended.step(node, { kind: 'amendment', ...amendment });
        whole.run(forMs);
        amended.run(forMs);
        before = plan;
      }
      assert.deepEqual(stateOf(amended), stateOf(whole));
    }),
    { numRuns: 200 },
  );
});

test('news of other addresses puts off nothing of what the first in rank does not take', () => {
  const lan = new FakeSegment({ seed: 1, nodes: 2 });
  for (const node of lan.nodes) lan.start(node);
  lan.run(1500);
  const all = names.slice(0, 2).map((node) => ({ node, score: 0 }));
  const [, knowing] = lan.nodes;
  assert(knowing !== undefined);
  const amend = (...put: readonly string[]) =>
    lan.step(knowing, {
      kind: 'amendment',
      put: new Map(put.map((address) => [address, all])),
      removed: [],
    });
  amend(...addresses);
  for (let news = 1; news <= 20; news++) {
    lan.run(50);
    amend(`203.0.113.${news}`);
  }
  for (const address of addresses) assert.deepEqual(lan.holders(address), ['node-2'], address);
});

test('an address that leaves the plan and comes back is new to all, whoever heard of that first', () => {
  const [one = ''] = addresses;
  for (const last of names) {
    for (const dropsAfterMs of [-20, 0, 20]) {
      const lan = new FakeSegment({ seed: 1, nodes: names.length });
      const put = (...nodes: readonly string[]) => {
        const candidates = new Map([[one, nodes.map((node) => ({ node, score: 0 }))]]);
        for (const node of lan.nodes)
          lan.step(node, { kind: 'amendment', put: candidates, removed: [] });
      };
      const remove = (from: readonly Machine[]) => {
        for (const node of from)
          lan.step(node, { kind: 'amendment', put: new Map(), removed: [one] });
      };
      for (const node of lan.nodes) lan.start(node);
      put(last);
      lan.run(1500);
      assert.deepEqual(lan.holders(one), [last]);
      const reasons: string[] = [];
      lan.onActions = (_, actions) => {
        for (const action of actions) if (action.kind === 'hold') reasons.push(action.reason);
      };
      const others = lan.nodes.filter(({ name }) => name !== last);
      remove(dropsAfterMs > 0 ? others : [lan.node(last)]);
      lan.run(Math.abs(dropsAfterMs));
      remove(dropsAfterMs > 0 ? [lan.node(last)] : others);
      lan.run(1500);
      put(...names);
      lan.run(1500);
      assert.equal(lan.holders(one).length, 1);
      assert.deepEqual(reasons, ['Unclaimed'], `${last}, ${dropsAfterMs} ms after the others`);
    }
  }
});
