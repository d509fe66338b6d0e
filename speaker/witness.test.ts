import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Address, formatAddress, parseAddress } from '../net/address.ts';
import type { Quarantines } from './guard.ts';
import { everyNode } from './testing/every-node.ts';
import { FakeSegment } from './testing/fake-segment.ts';
import { seeded } from './testing/random.ts';
import { type Report, Witness, witnessPace } from './witness.ts';

const everyMs = 60_000;
const router: Address = { family: 'IPv4', value: 0xc6336401n };
const router6: Address = { family: 'IPv6', value: 0xfe80n << 112n };
const foreign = '02:00:00:00:00:99';

type Setting = {
  nodes?: number;
  addresses?: number;
  canAskFor?: (address: Address) => boolean;
  bystanders?: readonly Address[];
};

/** A segment, a witness on every node, and a wire that answers as told. */
class Stage {
  readonly lan: FakeSegment;
  readonly reports: Report[] = [];
  /** How often each address was asked for, by whom. */
  readonly asked: { atMs: number; by: string; address: string }[] = [];
  /** Who answers a question; by default who holds the address. */
  answer: (address: string, by: string) => readonly string[];
  readonly #witnesses: ReadonlyMap<string, Witness>;
  readonly #canAskFor: (address: Address) => boolean;
  readonly #bystanders: readonly Address[];

  constructor({
    nodes = 3,
    addresses = 1,
    canAskFor = () => true,
    bystanders = [router],
  }: Setting = {}) {
    this.#bystanders = bystanders;
    this.lan = new FakeSegment({ seed: 1, nodes });
    this.#canAskFor = canAskFor;
    this.lan.plan(everyNode(this.lan.nodes, addresses));
    for (const node of this.lan.nodes) this.lan.start(node);
    this.lan.run(1500);
    this.answer = (address) => this.holders(address);
    const random = seeded(1);
    this.#witnesses = new Map(
      this.lan.nodes.map(({ name, segment }) => {
        const options = { everyMs, random: () => random.next(), nowMs: this.lan.nowMs };
        return [name, new Witness({ segment: segment ?? assert.fail(), ...options })];
      }),
    );
  }

  holders(address: string): readonly string[] {
    return this.lan.holders(address).map((name) => this.lan.node(name).mac);
  }

  witness(name: string): Witness {
    return this.#witnesses.get(name) ?? assert.fail();
  }

  /** Runs on, in steps that are short beside the time between two questions. */
  run(ms: number): void {
    for (const endMs = this.lan.nowMs + ms; this.lan.nowMs < endMs; this.lan.run(50)) {
      for (const [name, witness] of this.#witnesses) this.#tick(name, witness);
    }
  }

  #tick(name: string, witness: Witness): void {
    const { nowMs } = this.lan;
    if (nowMs < witness.dueAtMs()) return;
    const { questions, reports } = witness.tick(nowMs, {
      canAskFor: this.#canAskFor,
      bystanders: () => this.#bystanders,
    });
    this.reports.push(...reports);
    for (const address of questions) {
      const text = formatAddress(address);
      this.asked.push({ atMs: nowMs, by: name, address: text });
      for (const mac of this.answer(text, name)) witness.hear(address, mac, nowMs);
    }
  }
}

const one = '198.51.100.0';
const answersRouter = (address: string) =>
  address === formatAddress(router) ? ['02:00:00:00:00:01'] : [];

describe('while all is well', () => {
  test('each address is asked for by one node, once a round, and nothing is told', () => {
    const stage = new Stage({ addresses: 30 });
    stage.run(everyMs * 5.5);
    assert.deepEqual(stage.reports, []);
    for (const address of stage.lan.candidates.keys()) {
      const questions = stage.asked.filter((asked) => asked.address === address);
      assert.equal(new Set(questions.map(({ by }) => by)).size, 1, address);
      assert.ok(questions.length >= 4 && questions.length <= 6, `${questions.length} questions`);
    }
  });

  test('nobody listens between two rounds', () => {
    const stage = new Stage({ addresses: 30 });
    let listening = 0;
    for (let second = 0; second < 60; second++) {
      stage.run(1000);
      listening += stage.lan.nodes.filter(({ name }) => stage.witness(name).isListening).length;
    }
    assert.ok(listening <= 3, `${listening} of 180 seconds`);
    assert.ok(stage.asked.length >= 20);
  });

  test('a node asks no more than a hundred times a second, and has asked for all after a longer round', () => {
    const stage = new Stage({ nodes: 2, addresses: 10_000 });
    stage.run(everyMs * 2.5);
    const perSecond = new Map<string, number>();
    for (const { atMs, by } of stage.asked) {
      const key = `${by} ${Math.floor(atMs / 1000)}`;
      perSecond.set(key, (perSecond.get(key) ?? 0) + 1);
    }
    const most = Math.max(...perSecond.values());
    assert.ok(
      most <= (1000 / witnessPace.stepMs) * witnessPace.questionsPerStep,
      `${most} a second`,
    );
    assert.equal(new Set(stage.asked.map(({ address }) => address)).size, 10_000);
  });

  test('an address that no own address can ask for is not asked for', () => {
    const stage = new Stage({ canAskFor: ({ value }) => value !== parseAddress(one)?.value });
    stage.run(everyMs * 2.5);
    assert.deepEqual(stage.asked, []);
  });
});

describe('what does not fit', () => {
  test('is told once while it lasts, and when it is over', () => {
    const stage = new Stage();
    stage.answer = (address) => [...stage.holders(address), foreign];
    stage.run(everyMs * 4);
    const [first, ...more] = stage.reports;
    assert.equal(first?.finding, 'Doubled');
    assert.deepEqual(first.others, [foreign]);
    assert.ok(!first.isKnown && more.length >= 2 && more.every(({ isKnown }) => isKnown));
    stage.answer = (address) => stage.holders(address);
    stage.run(everyMs * 2.5);
    const told = stage.reports.filter(({ isKnown }) => !isKnown);
    assert.deepEqual(
      told.map(({ finding }) => finding),
      ['Doubled', 'Right'],
    );
  });

  test('is told and moved within a round and thirteen seconds', () => {
    const stage = new Stage();
    stage.run(everyMs * 1.5);
    stage.answer = answersRouter;
    const lastRightMs = stage.asked.at(-1)?.atMs ?? assert.fail();
    stage.run(everyMs * 1.1 + 14_000 - (stage.lan.nowMs - lastRightMs));
    const [found] = stage.reports;
    assert.equal(found?.finding, 'Silent');
    assert.equal(found.isToMove, true);
  });

  test('is not told when it is over after an exam or two', () => {
    const stage = new Stage();
    const since = stage.lan.nowMs;
    stage.answer = (address) => {
      const begin = stage.asked[0]?.atMs ?? since;
      return stage.lan.nowMs < begin + 7_000 ? answersRouter(address) : stage.holders(address);
    };
    stage.run(everyMs * 2);
    assert.deepEqual(stage.reports, []);
  });

  test('is uncertain for a witness that hears nobody, and moves nothing', () => {
    const stage = new Stage();
    stage.answer = () => [];
    stage.run(everyMs * 2);
    assert.ok(stage.reports.length > 0);
    for (const { finding, isToMove } of stage.reports) {
      assert.equal(finding, 'Uncertain');
      assert.equal(isToMove, false);
    }
  });

  test('is certain only when others answer over the same protocol, where there are any', () => {
    for (const [bystanders, finding] of [
      [[router, router6], 'Uncertain'],
      [[router6], 'Silent'],
    ] as const) {
      const stage = new Stage({ bystanders });
      stage.answer = (address) => (address === formatAddress(router6) ? [foreign] : []);
      stage.run(everyMs * 2);
      assert.equal(stage.reports[0]?.finding, finding);
    }
  });

  test('is uncertain where answers were lost on their way to the witness', () => {
    const stage = new Stage();
    stage.answer = (address, by) => {
      stage.witness(by).lose(stage.lan.nowMs);
      return answersRouter(address);
    };
    stage.run(everyMs * 2);
    assert.equal(stage.reports[0]?.finding, 'Uncertain');
  });

  test('is nothing when the address has moved since it was asked for', () => {
    const stage = new Stage({ nodes: 4 });
    const moved: string[] = [];
    stage.answer = (address, by) => {
      // The last but one question of a verdict, which takes 15.
      const questions = stage.asked.filter((asked) => asked.address === one).length;
      if (address === one && questions % 15 === 14) {
        const [holder = ''] = stage.lan.holders(one);
        const heir = stage.lan.nodes.find(({ name }) => name !== holder && name !== by);
        const { term = 0 } = heir?.segment?.claims.get(one) ?? {};
        assert.ok(heir !== undefined);
        stage.lan.step(heir, { kind: 'unanswered', address: one, holder, term });
        if (heir.holding.has(one)) moved.push(heir.name);
      }
      return answersRouter(address);
    };
    stage.run(everyMs * 1.5);
    assert.ok(moved.length > 0);
    assert.deepEqual(stage.reports, []);
  });

  test('is nothing where the holder has found a foreign machine to have the address', () => {
    const stage = new Stage({ addresses: 2 });
    stage.answer = answersRouter;
    const spare = (quarantines: Quarantines) => {
      for (const { name } of stage.lan.nodes) stage.witness(name).spare(quarantines);
    };
    spare(new Map([[one, stage.lan.holders(one)]]));
    stage.run(everyMs * 2);
    assert.ok(stage.reports.length > 0);
    assert.ok(stage.reports.every(({ address }) => address !== one));
    assert.ok(stage.asked.every(({ address }) => address !== one));
    spare(new Map([[one, ['somebody who held it before']]]));
    stage.run(everyMs * 2);
    assert.ok(stage.reports.some(({ address }) => address === one));
  });

  test('is nothing to a node that stood still', () => {
    const stage = new Stage();
    stage.answer = answersRouter;
    while (stage.asked.length === 0) stage.run(50);
    for (const { segment } of stage.lan.nodes) {
      if (segment !== undefined) segment.hushedSinceMs = stage.lan.nowMs;
      if (segment !== undefined) segment.hushedAtLeastUntilMs = Infinity;
    }
    stage.run(everyMs * 2);
    assert.deepEqual(stage.reports, []);
  });
});

test('a witness that is turned off never asks', () => {
  const lan = new FakeSegment({ seed: 1, nodes: 2 });
  const [node] = lan.nodes;
  if (node !== undefined) lan.start(node);
  const segment = node?.segment ?? assert.fail();
  const witness = new Witness({ segment, everyMs: 0, random: () => 0.5, nowMs: 0 });
  assert.equal(witness.dueAtMs(), Infinity);
});
