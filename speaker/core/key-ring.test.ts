import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everyNode } from '../testing/every-node.ts';
import { FakeSegment } from '../testing/fake-segment.ts';
import type { Machine } from '../testing/machine.ts';
import {
  adoptKeys,
  type Key,
  type KeyRing,
  openingKeys,
  openKeyRing,
  sealingKey,
  spreadMs,
} from './key-ring.ts';

const [old, next] = [Uint8Array.of(1), Uint8Array.of(2)];

test('a new key seals only when every node has had the time to learn it', () => {
  const ring = adoptKeys(openKeyRing([old], 0), [next, old], 1000);
  assert.deepEqual(openingKeys(ring, 1000), [next, old]);
  assert.equal(sealingKey(ring, old, 1000 + spreadMs - 1), old);
  assert.equal(sealingKey(ring, old, 1000 + spreadMs), next);
});

test('a key that is gone from the file opens until nobody seals with it any more', () => {
  const ring = adoptKeys(openKeyRing([old], 0), [next], 0);
  assert.equal(sealingKey(ring, old, spreadMs - 1), old);
  assert.deepEqual(openingKeys(ring, 2 * spreadMs - 1), [next, old]);
  assert.deepEqual(openingKeys(ring, 2 * spreadMs), [next]);
});

test('a node that starts in the middle of a change seals as its peers do', () => {
  const ring = openKeyRing([next, old], 0);
  assert.equal(sealingKey(ring, undefined, 0), next);
  assert.equal(sealingKey(ring, old, 1), old);
  assert.equal(sealingKey(ring, next, 1), next);
});

test('a file that is written again as it was changes nothing', () => {
  const ring = openKeyRing([next, old], 0);
  assert.deepEqual(adoptKeys(ring, [Uint8Array.of(2), Uint8Array.of(1)], 5000), ring);
});

/** Three nodes that seal and open with their rings; whoever has no key for a frame does not hear it. */
function sealed(keys: readonly Key[]) {
  const lan = new FakeSegment({ seed: 1, nodes: 3 });
  const rings = new Map<Machine, KeyRing>();
  const heard = new Map<Machine, Key>();
  for (const node of lan.nodes) rings.set(node, openKeyRing(keys, 0));
  const ringOf = (node: Machine): KeyRing => rings.get(node) ?? openKeyRing(keys, lan.nowMs);
  const sealingKeyOf = (node: Machine) => sealingKey(ringOf(node), heard.get(node), lan.nowMs);
  lan.opens = (node, from) => {
    const key = sealingKeyOf(from);
    const opened = openingKeys(ringOf(node), lan.nowMs).find((one) => key?.[0] === one[0]);
    if (opened !== undefined) heard.set(node, opened);
    return opened !== undefined;
  };
  lan.plan(everyNode(lan.nodes, 9));
  for (const node of lan.nodes) lan.start(node);
  lan.run(1500);
  const change = (node: Machine, given: readonly Key[]): void => {
    rings.set(node, adoptKeys(ringOf(node), given, lan.nowMs));
  };
  const restart = (node: Machine, given: readonly Key[]): void => {
    lan.crash(node);
    heard.delete(node);
    rings.set(node, openKeyRing(given, lan.nowMs));
    lan.start(node);
  };
  return { lan, change, restart, sealingKeyOf };
}

for (const given of [[next, old], [next]]) {
  test(`the key is changed while nothing moves, with ${given.length} keys in the new file`, () => {
    const { lan, change, sealingKeyOf } = sealed([old]);
    let moved = 0;
    lan.onActions = (_node, actions) => {
      moved += actions.filter(({ kind }) => kind === 'hold' || kind === 'peer').length;
    };
    for (const [index, node] of lan.nodes.entries()) {
      lan.timeline.in(index * 60_000, () => change(node, given));
    }
    lan.run(2 * spreadMs);
    assert.deepEqual(lan.nodes.map(sealingKeyOf), [next, next, next]);
    assert.equal(moved, 0);
  });
}

test('a speaker that is started anew in the middle of the change is heard, and hears', () => {
  const { lan, change, restart } = sealed([old]);
  const [first, second, third] = lan.nodes;
  assert.ok(first && second && third);
  change(first, [next, old]);
  lan.run(30_000);
  restart(first, [next, old]);
  lan.run(5000);
  const addresses = [...lan.candidates.keys()];
  assert.ok(addresses.every((address) => lan.holders(address).length === 1));
  change(second, [next, old]);
  change(third, [next, old]);
  let moved = 0;
  lan.onActions = (_node, actions) => {
    moved += actions.filter(({ kind }) => kind === 'hold' || kind === 'peer').length;
  };
  lan.run(2 * spreadMs);
  assert.equal(moved, 0);
});
