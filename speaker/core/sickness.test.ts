import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everyNode } from '../testing/every-node.ts';
import { FakeSegment } from '../testing/fake-segment.ts';
import { setHealth } from '../testing/illness.ts';

const address = '198.51.100.0';

/** Nodes that have found each other and share `addresses`. */
function settled({ nodes = 3, addresses = 1 }: { nodes?: number; addresses?: number }) {
  const lan = new FakeSegment({ seed: 1, nodes });
  for (const node of lan.nodes) lan.start(node);
  lan.plan(everyNode(lan.nodes, addresses));
  lan.run(1500);
  return lan;
}

/** Nodes of which each one is preferred to the one before. */
function ranked(nodes: number): FakeSegment {
  const lan = new FakeSegment({ seed: 1, nodes });
  lan.plan(new Map([[address, lan.nodes.map(({ name: node }, score) => ({ node, score }))]]));
  for (const node of lan.nodes) lan.start(node);
  lan.run(1500);
  return lan;
}

function holderOf(lan: FakeSegment) {
  const [holder, ...others] = lan.holders(address);
  assert.deepEqual(others, []);
  return lan.node(holder ?? assert.fail('nobody holds it'));
}

const placement = (lan: FakeSegment, addresses: number) =>
  [...everyNode(lan.nodes, addresses).keys()].map((one) => [one, ...lan.holders(one)]);

test('a sick holder hands its addresses over without a gap, and takes nothing back when it is well again', () => {
  const lan = settled({ addresses: 9 });
  const before = placement(lan, 9);
  const sick = lan.node('node-2');
  const addresses = [...sick.holding];
  const gaps: string[] = [];
  lan.onActions = () => {
    gaps.push(...addresses.filter((one) => lan.holders(one).length === 0));
  };
  setHealth(lan, sick, 'sick');
  lan.run(200);
  assert.deepEqual([...sick.holding], []);
  assert.deepEqual(gaps, []);
  const after = placement(lan, 9);
  const stayed = before.filter(([, holder]) => holder !== 'node-2').map(String);
  assert.deepEqual(
    after.map(String).filter((one) => stayed.includes(one)),
    stayed,
  );

  setHealth(lan, sick, 'mending');
  lan.run(30_000);
  setHealth(lan, sick, 'well');
  lan.run(40_000);
  assert.deepEqual(placement(lan, 9), after);
});

test('a sick holder says why it gives up, and its heir from whom it takes over', () => {
  const lan = settled({ nodes: 2 });
  const sick = holderOf(lan);
  const told: unknown[] = [];
  lan.onActions = ({ name }, actions) => {
    for (const action of actions) {
      if (action.kind === 'hold') told.push([name, action.reason, action.from]);
      if (action.kind === 'yield') told.push([name, action.reason, action.to]);
    }
  };
  setHealth(lan, sick, 'sick');
  lan.run(200);
  const heir = holderOf(lan).name;
  assert.deepEqual(told, [
    [heir, 'HandedOver', sick.name],
    [sick.name, 'Sick', heir],
  ]);
});

test('where all are sick nothing moves, nor while some do not know yet whether they are', () => {
  const lan = settled({ addresses: 9 });
  const before = placement(lan, 9);
  for (const node of lan.nodes) {
    setHealth(lan, node, 'unsure');
    lan.run(300);
  }
  for (const health of ['sick', 'mending', 'well'] as const) {
    for (const node of lan.nodes) {
      setHealth(lan, node, health);
      lan.run(1000);
      assert.deepEqual(placement(lan, 9), before, `${node.name} is ${health}`);
    }
  }
});

test('a sick holder finds the first well node that comes', () => {
  const lan = settled({ nodes: 2 });
  const [holder, other] = [holderOf(lan), lan.nodes.find(({ holding }) => holding.size === 0)];
  assert.ok(other);
  lan.crash(other);
  lan.run(1000);
  setHealth(lan, holder, 'sick');
  lan.run(5000);
  assert.equal(holderOf(lan), holder);
  lan.start(other);
  lan.run(1000);
  assert.equal(holderOf(lan), other);
});

test('a vacant address goes to a well node first, whatever the scores, and to a sick one where none is well', () => {
  const lan = ranked(3);
  assert.equal(holderOf(lan).name, 'node-3');
  setHealth(lan, lan.node('node-2'), 'mending');
  lan.run(100);
  lan.crash(lan.node('node-3'));
  lan.run(310);
  assert.equal(holderOf(lan).name, 'node-1');
  lan.crash(lan.node('node-1'));
  lan.run(310);
  assert.equal(holderOf(lan).name, 'node-2');
});

test('a preferred node that was sick gets its address back when it has been well for the hold time', () => {
  const lan = ranked(2);
  const preferred = lan.node('node-2');
  assert.equal(holderOf(lan), preferred);
  setHealth(lan, preferred, 'sick');
  lan.run(100);
  setHealth(lan, preferred, 'mending');
  lan.run(60_000);
  assert.equal(holderOf(lan).name, 'node-1');
  setHealth(lan, preferred, 'well');
  lan.run(29_000);
  assert.equal(holderOf(lan).name, 'node-1');
  lan.run(1500);
  assert.equal(holderOf(lan), preferred);
});
