import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { everyNode } from '../testing/every-node.ts';
import { FakeSegment } from '../testing/fake-segment.ts';
import { setHealth } from '../testing/illness.ts';
import type { Machine } from '../testing/machine.ts';
import { unansweredOnceMs } from './timing.ts';
import { witnesses } from './witnesses.ts';

const address = '198.51.100.0';

/** Nodes that have found each other and share the addresses. */
function settled({ nodes = 4, addresses = 1, may = 4 } = {}): FakeSegment {
  const lan = new FakeSegment({ seed: 1, nodes });
  lan.plan(everyNode(lan.nodes.slice(0, may), addresses));
  for (const node of lan.nodes) lan.start(node);
  lan.run(1500);
  return lan;
}

const segmentOf = ({ segment, name }: Machine) => segment ?? assert.fail(`${name} is off`);

function holderOf(lan: FakeSegment): Machine {
  const [holder, ...others] = lan.holders(address);
  assert.deepEqual(others, []);
  return lan.node(holder ?? assert.fail('nobody holds it'));
}

/** Whom every node takes for the witness of the address. */
function witnessOf(lan: FakeSegment, one = address): Machine {
  const names = lan.nodes
    .filter(({ segment }) => segment !== undefined)
    .map((node) => witnesses(segmentOf(node))(one));
  const [name, ...others] = [...new Set(names)];
  assert.deepEqual(others, [], `the witness of ${one}: ${names.join(' ')}`);
  return lan.node(name ?? assert.fail(`nobody is the witness of ${one}`));
}

/** The node has found that the holder which it knows of does not answer. */
function find(lan: FakeSegment, node: Machine, holder = holderOf(lan)): void {
  const { term = 0 } = segmentOf(node).claims.get(address) ?? {};
  lan.step(node, { kind: 'unanswered', address, holder: holder.name, term });
  lan.run(50);
}

describe('the witness of an address', () => {
  test('is the same in the eyes of all, and never its holder', () => {
    const lan = settled({ addresses: 40 });
    for (const one of lan.candidates.keys()) {
      assert.ok(!lan.holders(one).includes(witnessOf(lan, one).name));
    }
  });

  test('is another one for other addresses, so that all share the work', () => {
    const lan = settled({ addresses: 100 });
    const counts = new Map<string, number>();
    for (const one of lan.candidates.keys()) {
      const { name } = witnessOf(lan, one);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    for (const { name } of lan.nodes) assert.ok((counts.get(name) ?? 0) >= 10, name);
  });

  test('may hold the address itself, where another than its holder may', () => {
    const lan = settled({ may: 2 });
    assert.deepEqual(
      [holderOf(lan).name, witnessOf(lan).name].toSorted(),
      lan.nodes.slice(0, 2).map(({ name }) => name),
    );
    const alone = settled({ may: 1 });
    assert.notEqual(witnessOf(alone), holderOf(alone));
  });

  test('is another one when it dies', () => {
    const lan = settled();
    const before = witnessOf(lan);
    lan.crash(before);
    lan.run(1000);
    assert.notEqual(witnessOf(lan), before);
  });

  test('is nobody where there is nobody else', () => {
    const lan = settled({ nodes: 1 });
    assert.equal(witnesses(segmentOf(holderOf(lan)))(address), undefined);
  });
});

describe('an address that nobody answers for', () => {
  test('comes to who has found it, and its holder yields', () => {
    const lan = settled();
    const [from, to] = [holderOf(lan), witnessOf(lan)];
    find(lan, to);
    assert.equal(holderOf(lan), to);
    assert.ok(!from.holding.has(address));
  });

  test('stays where it is when the claim that was asked under is another one by now', () => {
    const lan = settled();
    const [first, witness] = [holderOf(lan), witnessOf(lan)];
    lan.crash(first);
    lan.run(1000);
    const second = holderOf(lan);
    const other = lan.nodes.find((node) => node !== first && node !== second) ?? witness;
    find(lan, other, first);
    assert.equal(holderOf(lan), second);
  });

  test('does not come to a node that may not hold it, nor to one that is leaving', () => {
    const lan = settled({ nodes: 4, may: 3 });
    const from = holderOf(lan);
    find(lan, lan.node('node-4'));
    assert.equal(holderOf(lan), from);
    const leaving = lan.nodes.find((node) => node !== from) ?? from;
    lan.leave(leaving);
    find(lan, leaving);
    assert.equal(holderOf(lan), from);
  });

  test('is not taken by a sick node from a well one, to which it would hand it back at once', () => {
    const lan = settled({ nodes: 2 });
    const [from, to] = [holderOf(lan), witnessOf(lan)];
    setHealth(lan, to, 'sick');
    let moved = 0;
    lan.onActions = (_, actions) => {
      moved += actions.filter(({ kind }) => kind === 'hold').length;
    };
    find(lan, to);
    assert.deepEqual([holderOf(lan), moved], [from, 0]);
    setHealth(lan, from, 'sick');
    lan.run(200);
    find(lan, to);
    assert.deepEqual([holderOf(lan), moved], [to, 1]);
  });

  test('is taken by the same node once in five minutes', () => {
    const lan = settled({ nodes: 2 });
    const [from, to] = [holderOf(lan), witnessOf(lan)];
    find(lan, to);
    find(lan, from);
    assert.equal(holderOf(lan), from);
    find(lan, to);
    assert.equal(holderOf(lan), from);
    lan.run(unansweredOnceMs);
    find(lan, to);
    assert.equal(holderOf(lan), to);
  });

  test('goes back to a preferred node that did not answer only after five minutes', () => {
    const lan = new FakeSegment({ seed: 1, nodes: 2 });
    const prefer = new Map([
      [address, lan.nodes.map(({ name }) => ({ node: name, score: name === 'node-1' ? 10 : 0 }))],
    ]);
    lan.plan(prefer);
    for (const node of lan.nodes) lan.start(node);
    lan.run(1500);
    assert.equal(holderOf(lan).name, 'node-1');
    find(lan, lan.node('node-2'));
    lan.run(unansweredOnceMs - 1000);
    assert.equal(holderOf(lan).name, 'node-2');
    lan.run(32_000);
    assert.equal(holderOf(lan).name, 'node-1');
  });

  test('stays while a node that was never heard may hold it', () => {
    const lan = settled({ nodes: 3 });
    const [from, witness] = [holderOf(lan), witnessOf(lan)];
    const roster = new Map([['node-9', { udp: '2001:db8::9', state: 'Ready' as const }]]);
    const candidates = everyNode([...lan.nodes, { name: 'node-9' }], 1);
    for (const node of lan.nodes) lan.step(node, { kind: 'plan', candidates, roster });
    find(lan, witness);
    assert.ok(lan.answers(from, address));
  });
});
