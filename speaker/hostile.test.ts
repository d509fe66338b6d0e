import assert from 'node:assert/strict';
import { cpuUsage, env } from 'node:process';
import { test } from 'node:test';
import { step } from './core/step.ts';
import { strangersAtMost } from './core/strangers.ts';
import { readSealed } from './speakers-socket.ts';
import { AttackedNode } from './testing/attacked-node.ts';
import {
  type Sort,
  sortsForNeighbours,
  sortsWithKey,
  sortsWithoutKey,
} from './testing/hostile-frames.ts';
import { type Random, seeded } from './testing/random.ts';
import type { Speaker } from './testing/sealed-lan.ts';
import { headerBytes } from './wire/ethernet.ts';

/** `make hostile` plays a million; the seed says which. */
const frames = Number(env['HOSTILE_FRAMES'] ?? 50_000);
const seed = Number(env['HOSTILE_SEED'] || 1);
/** So many at a time, so that the sorts alternate: what a socket delivers at once. */
const batch = 64;
/** On the average: so 20,000 a second of all sorts cost less than a core on a machine that does other things, too. */
const mostMicroseconds = 50;

type Played = { frames: number; microseconds: number; answers: number; conflicts: number };

const sortsForSpeakers = ({ loot }: AttackedNode, random: Random): readonly Sort[] => [
  ...sortsWithoutKey(loot, random),
  ...sortsWithKey(loot, random),
];

/** Plays them all at one moment of the node's time, so that whatever changes was changed by them. */
function play(node: AttackedNode, sorts: readonly Sort[]): Map<string, Played> {
  const played = new Map<string, Played>();
  for (let count = 0; count < frames; count += batch * sorts.length) {
    for (const { name, next } of sorts) {
      const some = Array.from({ length: batch }, next);
      const from = cpuUsage();
      const { conflicts, answers } = node.hear(some);
      const { user, system } = cpuUsage(from);
      const sum = played.get(name) ?? { frames: 0, microseconds: 0, answers: 0, conflicts: 0 };
      sum.frames += some.length;
      sum.microseconds += user + system;
      sum.answers += answers;
      sum.conflicts += conflicts.length;
      played.set(name, sum);
    }
  }
  return played;
}

test(`${frames} hostile frames change nothing, and cost a bounded amount`, (t) => {
  const random = seeded(seed);
  const node = new AttackedNode(random);
  const sorts = [...sortsForSpeakers(node, random), ...sortsForNeighbours(node.loot, random)];
  const before = node.portrait();
  const played = play(node, sorts);
  assert.deepEqual(node.portrait(), before);
  assert.ok(node.speaker.segment.strangers.size <= strangersAtMost);
  for (const [name, { frames: count, microseconds, answers, conflicts }] of played) {
    const each = microseconds / count;
    const outcome = `${answers} answered, ${conflicts} conflicts`;
    t.diagnostic(`${each.toFixed(1).padStart(5)} µs  ${count} × ${name}: ${outcome}`);
  }
  const all = [...played.values()];
  const sum = (what: keyof Played): number => all.reduce((total, one) => total + one[what], 0);
  const mean = sum('microseconds') / sum('frames');
  t.diagnostic(`${mean.toFixed(1).padStart(5)} µs each of all`);
  assert.ok(mean <= mostMicroseconds, `${mean} µs each`);
});

/** So many frames a millisecond, while time goes on for everybody. */
function underFire(
  node: AttackedNode,
  sorts: readonly Sort[],
  { ms, perMs }: { ms: number; perMs: number },
): void {
  let fired = 0;
  for (let passed = 0; passed < ms; passed++) {
    for (let frame = 0; frame < perMs; frame++) {
      const sort = sorts[fired++ % sorts.length];
      if (sort !== undefined) node.hear([sort.next()]);
    }
    node.lan.run(1);
  }
}

function open(): { node: AttackedNode; dead: Speaker; other: Speaker; sorts: readonly Sort[] } {
  const random = seeded(seed);
  const node = new AttackedNode(random);
  const [dead, other] = node.peers;
  assert.ok(dead !== undefined && other !== undefined);
  return { node, dead, other, sorts: sortsForSpeakers(node, random) };
}

test('under 20,000 hostile frames a second a dead peer is replaced as fast as ever, and nothing else moves', () => {
  const { node, dead, other, sorts } = open();
  const [deadHeld, otherHeld] = [[...dead.holding], [...other.holding]];
  assert.ok(deadHeld.length > 0 && otherHeld.length > 0);
  const already = node.speaker.done.length;
  underFire(node, sorts, { ms: 200, perMs: 20 });
  node.lan.cut(dead);
  underFire(node, sorts, { ms: 302, perMs: 20 });
  const heirs = new Set([...node.speaker.holding, ...other.holding]);
  assert.ok(heirs.isSupersetOf(new Set(deadHeld)), [...heirs].join(', '));
  underFire(node, sorts, { ms: 200, perMs: 20 });
  assert.ok(otherHeld.every((address) => other.holding.has(address)));
  const done = node.speaker.done.slice(already).map(({ kind }) => kind);
  assert.deepEqual(new Set(done), new Set(['peer', 'hold']));
});

test('a newcomer is met, although a thousand that are none come before it', () => {
  const { node, dead, sorts } = open();
  node.lan.cut(dead);
  node.lan.run(400);
  assert.equal(node.speaker.segment.peers.has('node-2'), false);
  const crowd = sorts.filter(({ name }) => name === 'of unknown machines with the key');
  underFire(node, crowd, { ms: 1, perMs: 6 * strangersAtMost });
  assert.equal(node.speaker.segment.strangers.size, strangersAtMost);
  node.lan.start('node-2', dead.segment.mac, dead.segment.candidates);
  underFire(node, crowd, { ms: 400, perMs: 5 });
  assert.equal(node.speaker.segment.peers.get('node-2')?.standing.phase, 'active');
});

test('what a peer said to another one, played again after its death, does not keep it alive', () => {
  const { node, dead, other } = open();
  const toOther = node.lan.recorded.filter(
    ({ from, to }) => from === dead.segment.node && to === other.segment.mac,
  );
  assert.ok(toOther.length >= 3, `${toOther.length} frames to another one`);
  node.lan.cut(dead);
  for (const { bytes } of toOther.slice(0, 3)) {
    node.lan.run(95);
    node.lan.hear(node.speaker, bytes);
  }
  node.lan.run(20);
  assert.equal(node.speaker.segment.peers.has('node-2'), false);
});

test('a question of a peer, played again in a datagram, sends nothing into datagrams', () => {
  const { node, dead: peer } = open();
  const { segment, voice } = node.speaker;
  const { nowMs, recorded } = node.lan;
  const roster = new Map([['node-2', { udp: '198.51.100.12', state: 'Ready' } as const]]);
  step(segment, { kind: 'plan', candidates: segment.candidates, roster }, nowMs);
  const questions = recorded
    .filter(({ from, to }) => from === peer.segment.node && to === segment.mac)
    .flatMap(({ bytes }) => readSealed(bytes.subarray(headerBytes), voice) ?? [])
    .filter(({ message }) => message.kind === 'ask');
  assert.ok(questions.length > 0);
  for (const question of questions) {
    step(segment, { ...question, kind: 'frame', by: 'datagram' }, nowMs);
  }
  assert.equal(segment.deaf.size, 0);
});
