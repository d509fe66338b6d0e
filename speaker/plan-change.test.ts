import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Duties } from './duties.ts';
import type { Plan, PlannedAddress } from './plan.ts';
import { inCommon, planChange } from './plan-change.ts';

const planned = (...services: string[]): PlannedAddress => ({
  services,
  candidates: [],
  links: undefined,
});

const plain = { noNullPrototype: true } as const;

const anyPlanned: fc.Arbitrary<PlannedAddress> = fc.record(
  {
    services: fc.uniqueArray(fc.constantFrom('default/web', 'default/mail', 'default/dns'), {
      minLength: 1,
    }),
    candidates: fc
      .uniqueArray(fc.constantFrom('a', 'b', 'c'))
      .chain((nodes) =>
        fc.tuple(
          ...nodes.map((node) => fc.record({ node: fc.constant(node), score: fc.nat(1) }, plain)),
        ),
      ),
    links: fc.constantFrom(undefined, [], ['eth0'], ['eth0', 'eth1']),
  },
  plain,
);

const anyPlan: fc.Arbitrary<Plan> = fc
  .array(fc.tuple(fc.nat(5), anyPlanned))
  .map((all) => new Map(all.map(([number, one]) => [`198.51.100.${number}`, one])));

/** What the other thread makes of it. */
const told = (plan: Plan) => new Duties().adopt(planChange(undefined, plan)).put;

describe('the change of a plan', () => {
  test('is told as what differs, and nothing else', () => {
    const before = new Map([
      ['198.51.100.1', planned('default/web')],
      ['198.51.100.2', planned('default/mail')],
      ['198.51.100.3', planned('default/dns')],
    ]);
    const candidates = [{ node: 'a', score: 0 }];
    const next = new Map([
      ['198.51.100.1', planned('default/web')],
      ['198.51.100.2', { ...planned('default/mail'), candidates }],
      ['198.51.100.4', planned('default/new')],
    ]);
    assert.deepEqual(planChange(before, next), {
      whole: false,
      put: new Map([
        ['198.51.100.2', { candidates, links: undefined, siblings: undefined }],
        ['198.51.100.4', { candidates: [], links: undefined, siblings: undefined }],
      ]),
      removed: ['198.51.100.3'],
    });
  });

  test('names the siblings of an address, also over a Service that shares one of them', () => {
    const plan = new Map([
      ['198.51.100.1', planned('default/web')],
      ['198.51.100.2', planned('default/web', 'default/mail')],
      ['198.51.100.3', planned('default/mail')],
      ['198.51.100.4', planned('default/dns')],
    ]);
    assert.deepEqual(
      Array.from(planChange(undefined, plan).put.values(), ({ siblings }) => siblings),
      [['198.51.100.2'], ['198.51.100.1', '198.51.100.3'], ['198.51.100.2'], undefined],
    );
  });

  test('brings who knew the plan before to the same as the whole next plan', () => {
    fc.assert(
      fc.property(fc.array(anyPlan, { minLength: 1 }), (plans) => {
        const duties = new Duties();
        let before: Plan | undefined;
        for (const next of plans) {
          const plan = inCommon(before, next);
          assert.deepEqual(plan, next);
          duties.adopt(structuredClone(planChange(before, plan)));
          assert.deepEqual(duties.all, told(next));
          before = plan;
        }
      }),
    );
  });
});

test('a plan that does not differ is the one before, and one that does keeps what they have in common', () => {
  const before = new Map([
    ['198.51.100.1', planned('default/web')],
    ['198.51.100.2', planned('default/mail')],
  ]);
  assert.equal(inCommon(before, structuredClone(before)), before);
  const next = structuredClone(before).set('198.51.100.2', planned('default/dns'));
  const kept = inCommon(before, next);
  assert.deepEqual(kept, next);
  assert.equal(kept.get('198.51.100.1'), before.get('198.51.100.1'));
});

test('addresses with the same candidates share one list, whenever they came', () => {
  const duties = new Duties();
  const candidates = [{ node: 'a', score: 0 }];
  const one = new Map([['198.51.100.1', { ...planned('default/web'), candidates }]]);
  const both = new Map(one).set('198.51.100.2', { ...planned('default/mail'), candidates });
  duties.adopt(structuredClone(planChange(undefined, one)));
  duties.adopt(structuredClone(planChange(one, both)));
  const [first, second] = duties.all.values();
  assert.equal(first?.candidates, second?.candidates);
});
