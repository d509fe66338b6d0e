import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cluster } from './cluster.ts';
import type { Host } from './host.ts';
import { assertMovedOnce } from './judge-trial.ts';

/** Who answers, and from when on; each until the next one does. */
type Story = readonly (readonly [host: string, fromMs: number])[];

function judge(story: Story): void {
  const spells = story.map(([host, fromMs], index) => {
    const toMs = (story[index + 1]?.[1] ?? fromMs + 2) - 1;
    return { host, fromMs, toMs };
  });
  const trial = { spells, blackoutMs: 0, connections: 20, cut: 0, failed: [] };
  assertMovedOnce(trial, { name: 'a' } as Host, { logs: () => '' } as unknown as Cluster);
}

test('an address has moved once from one node to another', () => {
  judge([
    ['a', 0],
    ['b', 1_000],
  ]);
});

test('the last word of who hands over is no move', () => {
  judge([
    ['a', 0],
    ['b', 1_000],
    ['a', 1_003],
    ['b', 1_004],
  ]);
});

test('who answers again later has taken the address back', () => {
  const back: Story = [
    ['a', 0],
    ['b', 1_000],
    ['a', 1_200],
  ];
  assert.throws(() => judge(back));
  assert.throws(() => judge([...back, ['b', 1_300]]));
});

test('a third node is one too many, and so is none', () => {
  assert.throws(() =>
    judge([
      ['a', 0],
      ['b', 1_000],
      ['c', 1_010],
    ]),
  );
  assert.throws(() => judge([['a', 0]]));
});
