import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Family } from '../net/address.ts';
import { joinRanges, type Range, rangesOverlap } from '../net/range.ts';
import { findOverlaps } from './overlaps.ts';

const span = (first: number, last: number, family: Family = 'IPv4'): Range => ({
  family,
  first: BigInt(first),
  last: BigInt(last),
});

/** Few addresses, so that most pools meet. */
const ranges: fc.Arbitrary<readonly Range[]> = fc
  .array(
    fc
      .record({
        first: fc.nat({ max: 40 }),
        length: fc.nat({ max: 6 }),
        family: fc.constantFrom<Family>('IPv4', 'IPv6'),
      })
      .map(({ first, length, family }) => span(first, first + length, family)),
    { maxLength: 3 },
  )
  .map(joinRanges);

const overlap = (some: readonly Range[], others: readonly Range[]): boolean =>
  some.some((one) => others.some((other) => rangesOverlap(one, other)));

describe('findOverlaps', () => {
  it('settles for the younger, in whichever order the ranges lie', () => {
    assert.deepEqual(
      [...findOverlaps([[span(10, 20)], [span(20, 30)]])],
      [[1, { older: 0, shared: span(20, 20) }]],
    );
    assert.deepEqual(
      [...findOverlaps([[span(15, 30)], [span(10, 20)]])],
      [[1, { older: 0, shared: span(15, 20) }]],
    );
  });

  it('finds an older range in the middle of a younger one', () => {
    assert.deepEqual(
      [...findOverlaps([[span(50, 60)], [span(0, 100)]])],
      [[1, { older: 0, shared: span(50, 60) }]],
    );
  });

  it('finds nothing between neighbours, families, or ranges of one pool', () => {
    assert.equal(findOverlaps([[span(0, 9)], [span(10, 19)]]).size, 0);
    assert.equal(findOverlaps([[span(0, 9)], [span(0, 9, 'IPv6')]]).size, 0);
    assert.equal(findOverlaps([[span(0, 9), span(10, 15)]]).size, 0);
  });

  it('lets a pool that is closed close no other', () => {
    const chain = [[span(0, 9)], [span(9, 19)], [span(19, 29)]];
    assert.deepEqual([...findOverlaps(chain).keys()], [1]);
  });

  it('agrees with comparing each pool with each open one before it', () => {
    fc.assert(
      fc.property(fc.array(ranges, { maxLength: 8 }), (pools) => {
        const found = findOverlaps(pools);
        for (const [age, own] of pools.entries()) {
          const open = [...pools.entries()].filter(([older]) => older < age && !found.has(older));
          assert.equal(
            found.has(age),
            open.some(([, other]) => overlap(own, other)),
          );
          const { older, shared } = found.get(age) ?? {};
          if (older === undefined || shared === undefined) continue;
          assert.ok(!found.has(older) && older < age);
          for (const side of [own, pools[older] ?? []])
            assert.ok(
              side.some(
                ({ family, first, last }) =>
                  family === shared.family && first <= shared.first && shared.last <= last,
              ),
            );
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('grows hardly faster than the number of ranges, whether all of them overlap or none', () => {
    const nested = (count: number) =>
      Array.from({ length: count }, (_, index) => span(index, 10 * count - index));
    const scattered = (count: number) =>
      Array.from({ length: count }, (_, index) => {
        const first = 10 * ((index * 7_919) % count);
        return span(first, first + 9);
      });
    const looks = (all: readonly Range[], closed: number): number => {
      let count = 0;
      const watched = all.map(({ family, first, last }) => [
        {
          family,
          first,
          get last() {
            count++;
            return last;
          },
        },
      ]);
      assert.equal(findOverlaps(watched).size, closed);
      return count;
    };
    for (const [make, closed] of [
      [nested, (count: number) => count - 1],
      [scattered, () => 0],
    ] as const) {
      const small = looks(make(1_000), closed(1_000));
      const large = looks(make(8_000), closed(8_000));
      assert.ok(large < 8 * 1.6 * small, `${small} looks at ranges became ${large}`);
    }
  });
});
