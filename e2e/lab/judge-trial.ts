import assert from 'node:assert/strict';
import type { Cluster } from './cluster.ts';
import type { Host } from './host.ts';
import type { Spell } from './tap.ts';
import type { Trial } from './trial.ts';

/** What a client that has an answer all the while may miss: a packet or two, on a machine that has other work. */
export const unnoticedMs = 200;

export const holdersIn = ({ spells }: Trial): readonly string[] => spells.map(({ host }) => host);

/** One node answered from beginning to end, nobody waited, nothing failed. */
export function assertUnnoticed(trial: Trial, host: Host, { logs }: Cluster): void {
  assert.deepEqual(holdersIn(trial), [host.name], logs(15));
  assert.deepEqual([trial.cut, trial.failed], [0, []]);
  assert.ok(trial.blackoutMs <= unnoticedMs, `${trial.blackoutMs} ms without an answer`);
}

/** Another node answered, and no other after it, whatever became of the first one; no new connection failed. */
export function assertMovedOnce(trial: Trial, from: Host, { logs }: Cluster): void {
  const [first, second, ...more] = handoversIn(trial).map(({ host }) => host);
  assert.deepEqual([first, more], [from.name, []], logs(15));
  assert.ok(second !== undefined, `${from.name} still answers`);
  assert.deepEqual(trial.failed, []);
}

/** The heir answers before the holder has heard that it does: for less than a pulse interval both are right. */
const handoverMs = 100;

/** The spells without those in which a holder that hands over speaks once more. */
function handoversIn({ spells }: Trial): readonly Spell[] {
  const kept: Spell[] = [];
  for (const spell of spells) {
    const [before, last] = kept.slice(-2);
    const isLastWord = before?.host === spell.host && last !== undefined;
    if (isLastWord && spell.toMs < last.fromMs + handoverMs) continue;
    if (kept.at(-1)?.host === spell.host) continue;
    kept.push(spell);
  }
  return kept;
}
