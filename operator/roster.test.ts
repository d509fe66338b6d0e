import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Pool } from '../crds/pool.ts';
import { admits, choosePools } from './choose.ts';
import { reservedFor } from './pool-addresses.ts';
import { rosterOf } from './roster.ts';
import { address, pool, request } from './testing/town.ts';

const word = fc.constantFrom('a', 'b', 'c');
const labels = fc.dictionary(word, word, { maxKeys: 3 });
const requirement = fc.record({
  key: word,
  operator: fc.constantFrom('In' as const, 'NotIn' as const, 'Exists' as const),
  values: fc.array(word, { minLength: 1, maxLength: 2 }),
});
const selectors = fc.array(fc.array(requirement, { maxLength: 2 }), { maxLength: 2 });
const allocation = fc.record({
  priority: fc.nat(2),
  namespaces: fc.subarray(['a', 'b', 'c']).map((names) => new Set(names)),
  namespaceSelectors: selectors,
  serviceSelectors: selectors,
});
const extra = fc.record({
  autoAssign: fc.boolean(),
  allocation: fc.option(allocation, { nil: undefined }),
  reserved: fc.boolean(),
});
const pools = fc.array(extra, { maxLength: 6 }).map((extras) =>
  extras.map(({ autoAssign, allocation, reserved }, index) => {
    const reservations = new Map([['a/web', [address(`198.51.100.${index}`)]]]);
    return pool(`pool-${index}`, `198.51.100.${index}`, {
      autoAssign,
      ...(allocation === undefined ? {} : { allocation }),
      ...(reserved ? { reservations } : {}),
    });
  }),
);

const turnOf = ({ allocation }: Pool): number =>
  allocation === undefined ? Infinity : allocation.priority || 1_000_000;

test('those pools are chosen that one finds who asks all of them', () => {
  fc.assert(
    fc.property(pools, word, labels, labels, (all, namespace, own, around) => {
      const wish = request('web', { namespace, labels: own });
      const meant = all
        .filter(
          (each) =>
            reservedFor(each, wish.service).length > 0 ||
            (each.autoAssign && admits(each, wish, around)),
        )
        // Names are in order already, and a sort keeps the order of equals.
        .toSorted((a, b) => (turnOf(a) === turnOf(b) ? 0 : turnOf(a) - turnOf(b)));
      const choice = choosePools(wish, all, around);
      const chosen = choice.kind === 'pools' ? choice.pools : [];
      assert.deepEqual(
        chosen.map(({ name }) => name),
        meant.map(({ name }) => name),
      );
    }),
    { numRuns: 500 },
  );
});

/** So many pools, each of which is for the namespaces of one team. */
const forTeams = (count: number) =>
  Array.from({ length: count }, (_, team) =>
    pool(`pool-${team}`, [], {
      allocation: {
        namespaceSelectors: [[{ key: 'team', operator: 'In', values: [`team-${team}`] }]],
      },
    }),
  );

test('a Service is held against the pools of its team alone, however many there are', () => {
  const lists = [forTeams(10), forTeams(1_000)];
  for (const all of lists) {
    const meant = rosterOf(all).open.mayServe(request('web'), { team: 'team-7' });
    assert.deepEqual(
      meant.map(({ name }) => name),
      ['pool-7'],
    );
  }
});
