import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everyNode } from '../testing/every-node.ts';
import { FakeSegment } from '../testing/fake-segment.ts';

const address = '198.51.100.0';

/** Nodes that have found each other and share one address, the holder among them, and another. */
function settled(nodes = 2) {
  const lan = new FakeSegment({ seed: 1, nodes });
  for (const node of lan.nodes) lan.start(node);
  lan.plan(everyNode(lan.nodes, 1));
  lan.run(1500);
  const holder = lan.node(lan.holders(address)[0] ?? assert.fail('no holder'));
  const other = lan.nodes.find((node) => node !== holder) ?? assert.fail('no other');
  return { lan, holder, other };
}

const counted = ({ nodes }: FakeSegment, what: 'pulsesLost' | 'doubledOwners') =>
  nodes.reduce((sum, { segment }) => sum + (segment?.[what] ?? 0), 0);

test('pulses that the wire loses are counted', () => {
  const { lan } = settled();
  assert.equal(counted(lan, 'pulsesLost'), 0);
  lan.wire.loss = 0.1;
  lan.run(60_000);
  const share = counted(lan, 'pulsesLost') / (2 * 600);
  assert.ok(share > 0.08 && share < 0.12, `${share} of them`);
});

test('pulses that wait while this node stands still are not lost', () => {
  const { lan, holder, other } = settled();
  lan.pause(other);
  lan.run(1_000);
  lan.resume(other);
  lan.run(1_000);
  assert.equal(other.segment?.pulsesLost, 0);
  assert.deepEqual(lan.holders(address), [holder.name]);
});

test('after a partition the one that gives up an address counts that both had it', () => {
  const { lan, holder, other } = settled();
  lan.setSide(other, 1);
  lan.run(1_000);
  assert.equal(counted(lan, 'doubledOwners'), 0);
  lan.setSide(other, 0);
  lan.run(1_000);
  assert.equal(holder.segment?.doubledOwners, 1);
  assert.equal(counted(lan, 'doubledOwners'), 1);
});

test('neither a planned move nor a node that stood still makes two owners', () => {
  const { lan, holder, other } = settled(3);
  lan.pause(holder);
  lan.run(1_000);
  lan.resume(holder);
  lan.run(1_000);
  lan.leave(lan.node(lan.holders(address)[0] ?? other.name));
  lan.run(1_000);
  assert.equal(counted(lan, 'doubledOwners'), 0);
});
