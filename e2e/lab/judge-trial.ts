import assert from 'node:assert/strict';
import type { Cluster } from './cluster.ts';
import type { Host } from './host.ts';
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
  const [first, second, ...more] = holdersIn(trial);
  assert.deepEqual([first, more], [from.name, []], logs(15));
  assert.ok(second !== undefined, `${from.name} still answers`);
  assert.deepEqual(trial.failed, []);
}
