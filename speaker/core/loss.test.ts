import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Core } from '../testing/core.ts';
import { everyNode } from '../testing/every-node.ts';
import { FakeSegment } from '../testing/fake-segment.ts';
import type { Machine } from '../testing/machine.ts';
import type { Action } from './action.ts';
import { openSegment } from './segment.ts';
import { dueAtMs, step } from './step.ts';
import { questions } from './timing.ts';

const minuteMs = 60_000;

type Options = {
  readonly nodes: number;
  readonly addresses?: number;
  readonly loss: number;
  readonly seed?: number;
  readonly core?: Core;
};

/** Nodes that have shared the addresses, on a wire that loses frames from then on. Nobody sends datagrams. */
function losing({ nodes, addresses = 3 * nodes, loss, seed = 1, core }: Options): FakeSegment {
  const lan = new FakeSegment({ seed, nodes, ...(core === undefined ? {} : { core }) });
  for (const node of lan.nodes) lan.timeline.at(lan.random.between(0, 100), () => lan.start(node));
  lan.plan(everyNode(lan.nodes, addresses));
  lan.run(1500);
  lan.wire.loss = loss;
  lan.run(500 + lan.random.between(0, 100));
  return lan;
}

/** How often what happened from now on. */
function counting(lan: FakeSegment): { dead: number; held: number; asked: number; pulsed: number } {
  const count = { dead: 0, held: 0, asked: 0, pulsed: 0 };
  lan.onActions = (_, actions) => {
    for (const action of actions) {
      if (action.kind === 'hold') count.held++;
      else if (action.kind === 'peer' && action.state === 'dead') count.dead++;
      else if (action.kind === 'send' && action.message.kind === 'ask') count.asked++;
      else if (action.kind === 'send' && action.message.kind === 'pulse') count.pulsed++;
    }
  };
  return count;
}

/** The chance that a peer that lives is declared dead behind one of its pulses; see `timing.ts`. */
const deathAfterPulse = (loss: number, asked: number): number => {
  const [arrives, exchangeFails] = [1 - loss, 1 - (1 - loss) ** 2];
  return arrives * loss ** 2 * exchangeFails ** asked;
};

describe('a wire that loses frames kills nobody and moves nothing', () => {
  for (const percent of [1, 5, 20]) {
    for (const nodes of [2, 3, 5, 10, 20]) {
      test(`${percent} %, ${nodes} nodes, for three minutes`, () => {
        const lan = losing({ nodes, loss: percent / 100, seed: nodes + percent });
        const count = counting(lan);
        lan.run(3 * minuteMs);
        assert.deepEqual([count.dead, count.held], [0, 0]);
        assert.equal(count.pulsed, nodes * 1800);
      });
    }
  }
});

describe('the chance that a peer that lives is declared dead', () => {
  test('is below 10⁻⁷ for each of its pulses where one frame in five is lost each way', () => {
    assert.ok(deathAfterPulse(0.2, questions - 3) < 1e-7);
    // Twenty nodes hear 3,800 pulses a second: one of them dies to another in a day of such loss, without datagrams.
    const perHour = 3600 * 3800 * deathAfterPulse(0.2, questions);
    assert.ok(perHour < 1 / 24, `${perHour} an hour`);
  });

  // Where it is large enough to be counted: a pulse that comes just before the deadline saves some more.
  for (const few of [1, 2, 4]) {
    test(`is what theory says with ${few} questions`, () => {
      const nodes = 20;
      const lan = losing({ nodes, addresses: 0, loss: 0.2, core: asksOnly(few) });
      const count = counting(lan);
      lan.run(minuteMs);
      const expected = count.pulsed * (nodes - 1) * deathAfterPulse(0.2, few);
      assert.ok(expected > 100, `${expected} expected`);
      assert.ok(count.dead < 1.2 * expected, `${count.dead} dead, not ${expected}`);
      assert.ok(count.dead > 0.3 * expected, `${count.dead} dead, not ${expected}`);
    });
  }
});

/** A core that asks a silent peer so often, and not again. */
const asksOnly = (most: number): Core => ({
  open: openSegment,
  step: (segment, event, nowMs) => {
    const actions = step(segment, event, nowMs);
    for (const { question } of segment.peers.values()) {
      if (question?.why !== 'Silent') continue;
      const asks = Math.floor(((nowMs - question.firstAtMs) / 50) * questions + 1e-6) + 1;
      if (asks >= most) question.againAtMs = Infinity;
    }
    return actions;
  },
});

const asksIn = (actions: readonly Action[]): number =>
  actions.filter((action) => action.kind === 'send' && action.message.kind === 'ask').length;

test('a dead peer is asked as often as was reckoned with, and no more', () => {
  const lan = losing({ nodes: 2, loss: 0 });
  const count = counting(lan);
  lan.crash(lan.node('node-2'));
  lan.run(1000);
  assert.deepEqual([count.dead, count.asked], [1, questions]);
});

test('a dead peer is asked as often by a process whose alarms are as coarse as those of epoll', () => {
  const lan = losing({ nodes: 2, loss: 0 });
  lan.crash(lan.node('node-2'));
  const { segment } = lan.node('node-1');
  assert.ok(segment);
  let nowMs = lan.nowMs;
  let asked = 0;
  while (segment.peers.size > 0) {
    // Whole milliseconds, rounded up; and it takes a moment until the thread runs.
    nowMs += Math.max(0, Math.ceil(dueAtMs(segment) - nowMs)) + 0.05;
    asked += asksIn(step(segment, { kind: 'tick' }, nowMs));
  }
  assert.equal(asked, questions);
});

test('where everybody falls silent at once, as when a switch restarts, each is asked a few times and not sixteen', () => {
  const nodes = 200;
  const lan = losing({ nodes, addresses: 0, loss: 0 });
  const { segment } = lan.node('node-1');
  assert.ok(segment);
  let [asked, dead] = [0, 0];
  lan.onActions = ({ name }, actions) => {
    if (name !== 'node-1') return;
    asked += asksIn(actions);
    for (const action of actions) if (action.kind === 'peer' && action.state === 'dead') dead++;
  };
  for (const node of lan.nodes.slice(1)) lan.crash(node);
  lan.run(1000);
  assert.equal(dead, nodes - 1);
  assert.ok(asked <= 5 * nodes, `${asked} questions`);
});

/** So many segments, and how often an address came to another holder after this was done to one node. */
function movesAfter(
  happen: (lan: FakeSegment, node: Machine) => void,
  segments = 400,
): { readonly held: number; readonly taken: number; readonly silent: number } {
  let [held, taken, silent] = [0, 0, 0];
  for (let seed = 1; seed <= segments; seed++) {
    const lan = losing({ nodes: 3 + (seed % 4), loss: 0.2, seed });
    const [node] = lan.nodes;
    assert.ok(node);
    const addresses = [...node.holding];
    lan.onActions = (_, actions) => {
      if (actions.length === 0) return;
      taken += actions.filter(({ kind }) => kind === 'hold').length;
      if (addresses.some((one) => lan.holders(one).length === 0)) silent++;
    };
    happen(lan, node);
    lan.run(1500);
    held += addresses.length;
  }
  return { held, taken, silent };
}

describe('where one frame in five is lost', () => {
  test('each address of a node that leaves moves once, and is answered for all the while', () => {
    const { held, taken, silent } = movesAfter((lan, node) => lan.leave(node));
    assert.deepEqual([taken, silent], [held, 0]);
  });

  test('each address that a node may hold no longer moves once, and is answered for all the while', () => {
    const { held, taken, silent } = movesAfter((lan, { name }) => {
      const others = [...lan.candidates].map(([address, all]) => {
        return [address, all.filter(({ node }) => node !== name)] as const;
      });
      lan.plan(new Map(others));
    });
    assert.deepEqual([taken, silent], [held, 0]);
  });

  test('a node that comes back moves nothing', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const lan = losing({ nodes: 3 + (seed % 4), loss: 0.2, seed });
      lan.list(lan.nodes);
      lan.crash(lan.node('node-1'));
      lan.run(2000);
      const count = counting(lan);
      lan.start(lan.node('node-1'));
      lan.run(4000);
      assert.equal(count.held, 0, `seed ${seed}`);
    }
  });

  test('a newcomer that has waited in vain for the claims of a peer takes none of them', () => {
    const deafUntilMs = 4000;
    const deaf: Core = {
      open: openSegment,
      step: (segment, event, nowMs) => {
        const isClaim = event.kind === 'frame' && event.message.kind === 'claims';
        const isLost = isClaim && segment.node === 'node-3' && nowMs < deafUntilMs;
        return step(segment, isLost ? { kind: 'tick' } : event, nowMs);
      },
    };
    const lan = new FakeSegment({ seed: 1, nodes: 3, core: deaf });
    const [one, other, newcomer] = lan.nodes;
    assert.ok(one && other && newcomer);
    lan.start(one);
    lan.start(other);
    lan.plan(everyNode(lan.nodes, 6));
    lan.run(2000);
    const count = counting(lan);
    lan.start(newcomer);
    lan.run(deafUntilMs);
    assert.equal(newcomer.segment?.phase, 'active');
    assert.equal(count.held, 0);
  });

  // Who hears two pulses more of a dead node than its heir, and not the heir's claim, takes over once more.
  test('one in a hundred addresses of a dead node moves twice at the most', () => {
    const { held, taken } = movesAfter((lan, node) => lan.crash(node));
    assert.ok(taken - held <= held / 100, `${taken} taken, ${held} were to be`);
  });
});
