import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSameList } from './same-list.ts';

test('lists are the same when they say the same in the same order', () => {
  assert.ok(isSameList(['a', 'b'], ['a', 'b']));
  assert.ok(isSameList(undefined, undefined));
  for (const other of [['b', 'a'], ['a'], ['a', 'b', 'c'], ['a,b'], undefined])
    assert.ok(!isSameList(['a', 'b'], other), String(other));
});

test('no list at all is not an empty one', () => {
  assert.ok(!isSameList(undefined, []));
  assert.ok(!isSameList([], undefined));
});

test('entries may be compared by what counts of them', () => {
  const sameNode = (a: { node: string }, b: { node: string } | undefined) => a.node === b?.node;
  assert.ok(isSameList([{ node: 'a' }], [{ node: 'a' }], sameNode));
  assert.ok(!isSameList([{ node: 'a' }], [{ node: 'b' }], sameNode));
});
