import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NumberMap } from './number-map.ts';

test('it has what a plain map has, on both sides of the numbers where a sign or a row changes', () => {
  const number = fc
    .constantFrom(0, 2 ** 31, 2 ** 32 - 40)
    .chain((from) => fc.integer({ min: from, max: from + 39 }));
  const change = fc.record({ number, value: fc.option(fc.string(), { nil: undefined }) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
      const map = new NumberMap<string>();
      const plain = new Map<number, string>();
      for (const { number: key, value } of changes) {
        if (value === undefined) map.delete(key | 0);
        else map.set(key | 0, value);
        if (value === undefined) plain.delete(key);
        else plain.set(key, value);
      }
      for (const { number: key } of changes) assert.equal(map.get(key), plain.get(key));
    }),
  );
});
