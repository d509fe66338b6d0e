import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Family } from '../net/address.ts';
import { rangesOverlap } from '../net/range.ts';
import { findOverlaps, type Owned } from './overlaps.ts';

const span = (age: number, first: number, last: number, family: Family = 'IPv4'): Owned => ({
  age,
  range: { family, first: BigInt(first), last: BigInt(last) },
});

/** Few addresses and few ages, so that most of them meet. */
const owned: fc.Arbitrary<Owned> = fc
  .record({
    age: fc.nat({ max: 6 }),
    first: fc.nat({ max: 40 }),
    length: fc.nat({ max: 12 }),
    family: fc.constantFrom<Family>('IPv4', 'IPv6'),
  })
  .map(({ age, first, length, family }) => span(age, first, first + length, family));

describe('findOverlaps', () => {
  it('settles for the younger, in whichever order the ranges lie', () => {
    assert.deepEqual(
      [...findOverlaps([span(0, 10, 20), span(1, 20, 30)])],
      [[1, { older: 0, shared: span(0, 20, 20).range }]],
    );
    assert.deepEqual(
      [...findOverlaps([span(1, 10, 20), span(0, 15, 30)])],
      [[1, { older: 0, shared: span(0, 15, 20).range }]],
    );
  });

  it('finds an older range in the middle of a younger one', () => {
    assert.deepEqual(
      [...findOverlaps([span(1, 0, 100), span(0, 50, 60)])],
      [[1, { older: 0, shared: span(0, 50, 60).range }]],
    );
  });

  it('finds nothing between neighbours, families, or ranges of one pool', () => {
    assert.equal(findOverlaps([span(0, 0, 9), span(1, 10, 19)]).size, 0);
    assert.equal(findOverlaps([span(0, 0, 9), span(1, 0, 9, 'IPv6')]).size, 0);
    assert.equal(findOverlaps([span(0, 0, 9), span(0, 5, 15)]).size, 0);
  });

  it('agrees with comparing each range with each', () => {
    fc.assert(
      fc.property(fc.array(owned, { maxLength: 14 }), (all) => {
        const expected = new Set<number>();
        for (const younger of all) {
          if (
            all.some(
              (older) => older.age < younger.age && rangesOverlap(older.range, younger.range),
            )
          ) {
            expected.add(younger.age);
          }
        }
        const found = findOverlaps(all);
        assert.deepEqual(new Set(found.keys()), expected);
        for (const [age, { older, shared }] of found) {
          assert.ok(older < age);
          for (const side of [age, older]) {
            const holds = all.some(
              ({ age: owner, range }) =>
                owner === side &&
                range.family === shared.family &&
                range.first <= shared.first &&
                shared.last <= range.last,
            );
            assert.ok(holds, `pool ${side} does not have all of what is said to be shared`);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('grows hardly faster than the number of ranges, even when all of them overlap', () => {
    const nested = (count: number) =>
      Array.from({ length: count }, (_, index) => span(index, index, 10 * count - index));
    let comparisons = 0;
    const counting = (all: readonly Owned[]): number => {
      comparisons = 0;
      const watched = all.map(({ age, range }) => ({
        age,
        get range() {
          comparisons++;
          return range;
        },
      }));
      assert.equal(findOverlaps(watched).size, all.length - 1);
      return comparisons;
    };
    const small = counting(nested(1_000));
    const large = counting(nested(8_000));
    assert.ok(large < 8 * 1.6 * small, `${small} looks at ranges became ${large}`);
  });
});
