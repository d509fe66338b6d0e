import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AddressSet } from './address-set.ts';

const change = fc.record({ add: fc.boolean(), value: fc.bigInt(0n, 4095n) });

test('the lowest missing number is the one a plain search finds, whatever was added and deleted', () => {
  const bounds = fc.tuple(fc.bigInt(0n, 4095n), fc.bigInt(0n, 4095n));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 400 }), bounds, (changes, [first, last]) => {
      const set = new AddressSet();
      const plain = new Set<bigint>();
      for (const { add, value } of changes) {
        if (add) set.add(value);
        else set.delete(value);
        if (add) plain.add(value);
        else plain.delete(value);
      }
      let expected: bigint | undefined = first;
      while (plain.has(expected)) expected++;
      if (expected > last) expected = undefined;
      assert.equal(set.lowestMissing(first, last), expected);
      for (const { value } of changes) assert.equal(set.has(value), plain.has(value));
    }),
    { numRuns: 60 },
  );
});

test('a run of full words is stepped over', () => {
  const set = new AddressSet();
  const base = 0x20010db8n << 96n;
  for (let offset = 0n; offset < 5000n; offset++) set.add(base + offset);
  assert.equal(set.lowestMissing(base, base + (1n << 64n) - 1n), base + 5000n);
  assert.equal(set.lowestMissing(base, base + 4999n), undefined);
  set.delete(base + 1234n);
  assert.equal(set.lowestMissing(base, base + (1n << 64n) - 1n), base + 1234n);
});

test('the very last addresses of each family can be held', () => {
  for (const bits of [32, 128]) {
    const last = (1n << BigInt(bits)) - 1n;
    const set = new AddressSet();
    set.add(last);
    assert.equal(set.lowestMissing(last, last), undefined);
    assert.equal(set.lowestMissing(last - 1n, last), last - 1n);
    assert.equal(set.lowestMissing(last, last + 1n), last + 1n);
    for (let value = last - 31n; value < last; value++) set.add(value);
    assert.equal(set.lowestMissing(last - 31n, last), undefined);
  }
});

test('what was deleted leaves nothing behind, and a search goes on across blocks', () => {
  const set = new AddressSet();
  const edge = 0x20010db8n << 96n;
  for (let value = edge - 40n; value < edge + 40n; value++) set.add(value);
  assert.equal(set.lowestMissing(edge - 40n, edge + 100n), edge + 40n);
  for (let value = edge - 40n; value < edge + 40n; value++) set.delete(value);
  assert.equal(set.lowestMissing(edge - 40n, edge + 100n), edge - 40n);
  assert.equal(set.has(edge), false);
});
