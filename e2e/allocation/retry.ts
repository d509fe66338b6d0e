import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../../daemon/clock.ts';
import type { Operator } from './operator.ts';
import type { Found, Town } from './town.ts';

/** What a person may notice as waiting. */
const atOnceMs = 1_000;

/** A pool of one address, which `a` has, and three that wait for it, in this order: of one second, after a restart, the name decides. */
async function queue(town: Town): Promise<Operator> {
  await town.pool('lan', '198.51.100.7/32');
  const operator = town.start();
  await town.service('a');
  await town.gets('a', '198.51.100.7');
  for (const name of ['b', 'c', 'd']) {
    await town.service(name);
    await town.told(name, 'PoolExhausted');
  }
  return operator;
}

export async function within(what: string, happens: () => Promise<void>): Promise<void> {
  const fromMs = systemClock.nowMs();
  await happens();
  const tookMs = systemClock.nowMs() - fromMs;
  assert.ok(tookMs < atOnceMs, `${what} took ${tookMs} ms`);
}

export function describeRetry(found: Found): void {
  describe('who waits', () => {
    test('gets what becomes free at once, first come, first served', async () => {
      await using town = await found();
      await queue(town);
      await town.remove('a');
      await within('b', () => town.gets('b', '198.51.100.7'));
      await town.edit('b', { spec: { type: 'ClusterIP' } });
      await within('c', () => town.gets('c', '198.51.100.7'));
      await town.told('d', 'PoolExhausted');
    });

    test('gets its address at once when a pool grows, first come, first served', async () => {
      await using town = await found();
      await queue(town);
      await town.pool('lan', '198.51.100.7-198.51.100.9');
      await within('both', async () => {
        await town.gets('b', '198.51.100.8');
        await town.gets('c', '198.51.100.9');
      });
      await town.told('d', 'PoolExhausted');
      await town.pool('more', '198.51.100.32/32');
      await within('d', () => town.gets('d', '198.51.100.32'));
    });

    test('keeps its turn when the operator is another one', async () => {
      await using town = await found();
      const before = await queue(town);
      await before.kill();
      await town.remove('a');
      town.start();
      await town.gets('b', '198.51.100.7');
      await town.told('c', 'PoolExhausted');
    });
  });
}
