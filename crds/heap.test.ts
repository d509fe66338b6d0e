import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { Heap } from './heap.ts';

it('a heap gives its items back in order, whatever the order they came in', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (items) => {
      const heap = new Heap<number>((a, b) => a - b);
      for (const item of items) heap.push(item);
      const sorted: number[] = [];
      heap.dropWhile((top) => {
        sorted.push(top);
        return true;
      });
      assert.deepEqual(
        sorted,
        items.toSorted((a, b) => a - b),
      );
      assert.equal(heap.top, undefined);
    }),
  );
});

it('a heap keeps what is still wanted at the top', () => {
  const heap = new Heap<number>((a, b) => a - b);
  for (const item of [5, 3, 8, 1]) heap.push(item);
  heap.dropWhile((top) => top < 4);
  assert.equal(heap.top, 5);
});
