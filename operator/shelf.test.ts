import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Address } from '../net/address.ts';
import { type Entry, Shelf } from './shelf.ts';

const six = (value: bigint): Address => ({ family: 'IPv6', value });
const held = (value: bigint): Entry => ({ address: six(value), pool: 'lan', turn: 0, holders: [] });
const net = 0x20010db8n << 96n;

/** A shelf where the addresses from `first` to before `end` are held. */
function shelfWith(first: bigint, end: bigint): Shelf {
  const shelf = new Shelf();
  for (let value = first; value < end; value++) shelf.enter(held(value));
  return shelf;
}

function giveBack(shelf: Shelf, value: bigint): void {
  shelf.leave(six(value));
  shelf.markFit(six(value));
}

/** Numbers on both sides of the middle of a block, where their sign changes, or of the end of one. */
const about = (edge: bigint): fc.Arbitrary<bigint> => fc.bigInt(edge - 2048n, edge + 2047n);

test('a search finds what a plain one finds, whatever was entered, left, barred and marked', () => {
  const change = (edge: bigint) =>
    fc.record({
      kind: fc.constantFrom('enter', 'leave', 'bar', 'markUnfit', 'markFit'),
      value: about(edge),
    });
  const course = fc
    .constantFrom(2048n, net + (1n << 31n), net + (1n << 32n))
    .chain((edge) =>
      fc.tuple(fc.array(change(edge), { maxLength: 400 }), about(edge), about(edge)),
    );
  fc.assert(
    fc.property(course, ([changes, first, last]) => {
      const shelf = new Shelf();
      const [entries, taken, unfit] = [new Map<bigint, Entry>(), new Set(), new Set()];
      for (const { kind, value } of changes) {
        const isFree = !entries.has(value);
        if (kind === 'enter' && isFree) {
          const entry = held(value);
          assert.equal(shelf.enter(entry), unfit.has(value));
          entries.set(value, entry);
        } else if (kind === 'leave') {
          shelf.leave(six(value));
          entries.delete(value);
          taken.delete(value);
        } else if (kind === 'bar') {
          shelf.bar(six(value));
        } else if (kind === 'markUnfit') {
          shelf.markUnfit(six(value));
        } else if (kind === 'markFit' && !taken.has(value)) {
          shelf.markFit(six(value));
          unfit.delete(value);
        }
        if (kind === 'enter' || kind === 'bar') taken.add(value);
        if (kind === 'enter' || kind === 'bar' || kind === 'markUnfit') unfit.add(value);
      }
      for (const [fit, passed] of [
        [false, taken],
        [true, unfit],
      ] as const) {
        let expected: bigint | undefined = first;
        while (passed.has(expected)) expected++;
        if (expected > last) expected = undefined;
        assert.equal(shelf.lowestFree(first, last, fit), expected);
      }
      for (const { value } of changes) assert.equal(shelf.entryOf(six(value)), entries.get(value));
    }),
    { numRuns: 100 },
  );
});

test('a run of full words is stepped over', () => {
  const shelf = shelfWith(net, net + 5000n);
  assert.equal(shelf.lowestFree(net, net + (1n << 64n) - 1n, true), net + 5000n);
  assert.equal(shelf.lowestFree(net, net + 4999n, true), undefined);
  giveBack(shelf, net + 1234n);
  assert.equal(shelf.lowestFree(net, net + (1n << 64n) - 1n, true), net + 1234n);
});

test('the very last addresses of each family can be held', () => {
  for (const bits of [32, 128]) {
    const last = (1n << BigInt(bits)) - 1n;
    const shelf = shelfWith(last, last + 1n);
    assert.equal(shelf.lowestFree(last, last, false), undefined);
    assert.equal(shelf.lowestFree(last - 1n, last, false), last - 1n);
    assert.equal(shelf.lowestFree(last, last + 1n, false), last + 1n);
    for (let value = last - 31n; value < last; value++) shelf.enter(held(value));
    assert.equal(shelf.lowestFree(last - 31n, last, false), undefined);
  }
});

test('what was left leaves nothing behind, and a search goes on across blocks', () => {
  const shelf = shelfWith(net - 40n, net + 40n);
  assert.equal(shelf.lowestFree(net - 40n, net + 100n, true), net + 40n);
  for (let value = net - 40n; value < net + 40n; value++) giveBack(shelf, value);
  assert.equal(shelf.lowestFree(net - 40n, net + 100n, true), net - 40n);
  assert.equal(shelf.entryOf(six(net)), undefined);
});
