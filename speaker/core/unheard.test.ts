import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everyNode } from '../testing/every-node.ts';
import { FakeSegment } from '../testing/fake-segment.ts';
import type { Machine } from '../testing/machine.ts';
import type { Wire } from '../testing/wire.ts';

const addresses = 12;

/** Nodes that the API lists, each on a virtual switch of its own unless told otherwise; they all start at once. */
function opened(options: {
  eats: Wire['eats'];
  nodes?: number;
  switchOf?: (index: number) => number;
}): FakeSegment {
  const { eats, nodes = 3, switchOf = (index) => index } = options;
  const lan = new FakeSegment({ seed: 1, nodes, wire: { eats } });
  for (const [index, node] of lan.nodes.entries()) node.virtualSwitch = switchOf(index);
  lan.list(lan.nodes);
  lan.plan(everyNode(lan.nodes, addresses));
  for (const node of lan.nodes) lan.start(node);
  return lan;
}

const holders = (lan: FakeSegment) =>
  [...lan.candidates.keys()].map((address) => lan.holders(address));

function assertOneHolderEach(lan: FakeSegment): void {
  for (const [index, names] of holders(lan).entries()) {
    assert.equal(names.length, 1, `address ${index} is held by ${names.join(' and ') || 'nobody'}`);
  }
}

/** Fails as soon as two nodes answer for one address. */
function forbidDoubles(lan: FakeSegment): void {
  lan.onActions = (node, actions) => {
    if (!actions.some(({ kind }) => kind === 'hold')) return;
    for (const names of holders(lan)) assert.ok(names.length < 2, `${names.join(' and ')} at once`);
    assert.ok(node.isAnswering);
  };
}

function first(lan: FakeSegment): Machine {
  const [node] = lan.nodes;
  assert.ok(node);
  return node;
}

test('a switch that drops our frames goes unnoticed: nodes find each other by datagrams', () => {
  const lan = opened({ eats: 'frames' });
  forbidDoubles(lan);
  lan.run(3000);
  assertOneHolderEach(lan);
  assert.deepEqual(
    lan.nodes.map(({ holding }) => holding.size),
    [4, 4, 4],
  );
});

test('behind such a switch a dead holder is replaced as fast as ever', () => {
  const lan = opened({ eats: 'frames' });
  lan.run(3000);
  lan.crash(first(lan));
  lan.run(303);
  assertOneHolderEach(lan);
});

test('who asks in datagrams is asked in datagrams at once, if no frame of it comes either', () => {
  const lan = opened({ eats: 'nothing', nodes: 2 });
  lan.run(2000);
  lan.wire.eats = 'frames';
  const [one, other] = lan.nodes;
  assert.ok(one?.segment && other?.segment);
  let askedAtMs: number | undefined;
  lan.onActions = (node, actions) => {
    for (const action of actions) {
      if (node !== one || action.kind !== 'send' || typeof action.to !== 'object') continue;
      if (action.message.kind === 'ask') askedAtMs ??= lan.nowMs;
    }
  };
  const { name, mac, segment } = other;
  for (let asked = 0; asked < 50; asked++) {
    const message = { kind: 'ask', node: name, mac, nonce: 1n } as const;
    const sequence = ++other.sequence;
    lan.step(one, { kind: 'frame', boot: segment.boot, sequence, message, by: 'datagram' });
    lan.run(10);
  }
  // Nothing else would have made it ask before 3,125 ms: to its ears the other one is not silent.
  assert.ok(askedAtMs !== undefined);
});

test('a switch that begins to drop our frames, and ceases to, moves nothing', () => {
  const lan = opened({ eats: 'nothing' });
  lan.run(2000);
  const before = holders(lan);
  let moved = 0;
  lan.onActions = (_node, actions) => {
    moved += actions.filter(({ kind }) => kind === 'hold' || kind === 'yield').length;
  };
  lan.wire.eats = 'frames';
  lan.run(10_000);
  lan.wire.eats = 'nothing';
  lan.run(10_000);
  assert.deepEqual(holders(lan), before);
  assert.equal(moved, 0);
});

test('datagrams are sent only where frames do not arrive', () => {
  const lan = opened({ eats: 'frames' });
  lan.run(3000);
  const datagramsOf = (ms: number): number => {
    const before = lan.datagrams;
    lan.run(ms);
    return lan.datagrams - before;
  };
  // Each pulse goes to both of the others; each asks both once a second, and they answer.
  assert.equal(datagramsOf(1000), 3 * 2 * (10 + 2));
  lan.wire.eats = 'nothing';
  lan.run(5000);
  assert.equal(datagramsOf(1000), 0);
});

test('nodes that hear nothing of each other at all never hold the same address', () => {
  const lan = opened({ eats: 'everything' });
  forbidDoubles(lan);
  lan.run(9000);
  assert.deepEqual(holders(lan).flat(), []);
  lan.run(3000);
  assertOneHolderEach(lan);
  assert.ok(lan.nodes.every(({ holding }) => holding.size > 0));
});

test('a node that never heard a peer takes its addresses when the API says that it is not ready', () => {
  const lan = opened({ eats: 'everything' });
  lan.run(12_000);
  forbidDoubles(lan);
  const [dead, ...others] = lan.nodes;
  assert.ok(dead);
  lan.crash(dead);
  lan.run(5000);
  assert.ok(holders(lan).some((names) => names.length === 0));
  lan.list(others, 1000);
  lan.run(12_000);
  assertOneHolderEach(lan);
});

test('within a group that hears itself a death is noticed at once, and leaves the other group alone', () => {
  const lan = opened({ eats: 'everything', nodes: 4, switchOf: (index) => index % 2 });
  lan.run(12_000);
  assertOneHolderEach(lan);
  forbidDoubles(lan);
  const left = lan.nodes.filter((node) => node !== first(lan));
  lan.crash(first(lan));
  lan.run(3000);
  lan.list(left);
  lan.run(12_000);
  assertOneHolderEach(lan);
});

test('nodes that start together take nothing twice, although none of them is ready yet', () => {
  for (const eats of ['frames', 'everything'] as const) {
    const lan = new FakeSegment({ seed: 1, nodes: 3, wire: { eats } });
    for (const [index, node] of lan.nodes.entries()) node.virtualSwitch = index;
    lan.list([], 0, 'NotReady');
    lan.plan(everyNode(lan.nodes, addresses));
    forbidDoubles(lan);
    for (const node of lan.nodes) lan.start(node);
    lan.run(6000);
    lan.list(lan.nodes, 5000);
    lan.run(20_000);
    assertOneHolderEach(lan);
  }
});

test('a node whose speaker never becomes ready is not waited for', () => {
  const lan = new FakeSegment({ seed: 1, nodes: 3 });
  const [broken, ...sound] = lan.nodes;
  assert.ok(broken);
  lan.list(sound, 0, 'NotReady');
  lan.plan(everyNode(lan.nodes, addresses));
  for (const node of sound) lan.start(node);
  lan.run(21_500);
  assertOneHolderEach(lan);
});

test('a node that comes to such a segment gets what it ranks first for, and nobody answers twice', () => {
  const lan = new FakeSegment({ seed: 1, nodes: 3, wire: { eats: 'everything' } });
  for (const [index, node] of lan.nodes.entries()) node.virtualSwitch = index;
  const [late, ...early] = lan.nodes;
  assert.ok(late);
  lan.list(early);
  lan.plan(everyNode(lan.nodes, addresses));
  for (const node of early) lan.start(node);
  lan.run(12_000);
  assertOneHolderEach(lan);
  forbidDoubles(lan);
  lan.start(late);
  lan.run(500);
  lan.list(lan.nodes, 1000);
  lan.run(14_000);
  assertOneHolderEach(lan);
  assert.ok(late.holding.size > 0);
});

test('a node that comes to such a segment with a plan that is out of date takes nothing that another one holds', () => {
  const lan = new FakeSegment({ seed: 1, nodes: 2, wire: { eats: 'everything' } });
  const [late, early] = lan.nodes;
  assert.ok(late && early);
  early.virtualSwitch = 1;
  lan.list(lan.nodes);
  // Late starts from the older plan, in which nobody else may hold anything.
  lan.plan(everyNode([late], addresses));
  lan.start(early);
  lan.step(early, { kind: 'plan', candidates: everyNode(lan.nodes, addresses) });
  lan.run(25_000);
  assert.ok(early.holding.size > 0);
  forbidDoubles(lan);
  lan.start(late);
  lan.run(5000);
  lan.plan(everyNode(lan.nodes, addresses));
  lan.run(20_000);
  assertOneHolderEach(lan);
});

test('a listed node whose speaker does not announce here is nobody to wait for', () => {
  const lan = new FakeSegment({ seed: 1, nodes: 2 });
  const [node, elsewhere] = lan.nodes;
  assert.ok(node && elsewhere);
  lan.list(lan.nodes);
  lan.plan(everyNode(lan.nodes, addresses));
  lan.start(node);
  lan.onActions = (_node, actions) => {
    for (const action of actions) {
      if (action.kind !== 'send' || typeof action.to !== 'object') continue;
      const { message } = action;
      if (message.kind !== 'ask') continue;
      const { name, mac } = elsewhere;
      const absent = { kind: 'absent', node: name, mac, nonce: message.nonce } as const;
      const sealed = { boot: 7n, sequence: 1n, message: absent, by: 'datagram' } as const;
      lan.timeline.in(1, () => lan.step(node, { kind: 'frame', ...sealed }));
    }
  };
  lan.run(1000);
  assert.equal(node.holding.size, addresses);
});

test('a peer that was heard and fell silent is dead, whatever the API says', () => {
  const lan = opened({ eats: 'nothing' });
  lan.run(2000);
  lan.crash(first(lan));
  lan.run(303);
  assertOneHolderEach(lan);
});

test('who was heard and died before the API could be asked is dead, and not unheard', () => {
  const lan = new FakeSegment({ seed: 1, nodes: 3 });
  for (const node of lan.nodes) lan.start(node);
  lan.run(1000);
  const last = first(lan);
  for (const node of lan.nodes) if (node !== last) lan.crash(node);
  lan.run(1000);
  // The plan of the last life comes from disk, and with it who had a speaker then.
  lan.list(lan.nodes);
  lan.plan(everyNode(lan.nodes, addresses));
  lan.run(100);
  assert.equal(last.holding.size, addresses);
});

test('a firewall before one node, which takes its datagrams away, kills nobody where frames are lost', () => {
  const lan = opened({ eats: 'nothing', nodes: 3 });
  lan.run(2000);
  first(lan).ip = '2001:db8::dead';
  lan.wire.loss = 0.2;
  const dead: string[] = [];
  lan.onActions = ({ name }, actions) => {
    for (const action of actions) {
      if (action.kind === 'peer' && action.state === 'dead') dead.push(`${action.node} to ${name}`);
    }
  };
  lan.run(60_000);
  assert.deepEqual(dead, []);
});
