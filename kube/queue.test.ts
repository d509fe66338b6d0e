import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openLog, silentLog } from '../daemon/log.ts';
import { FakeClock } from '../daemon/testing/fake-clock.ts';
import { KeyedQueue, type QueueOptions, type Work } from './queue.ts';

function open(work: Work, more: Partial<QueueOptions> = {}) {
  const clock = new FakeClock();
  const queue = new KeyedQueue({
    work,
    concurrency: 2,
    clock,
    random: () => 1,
    log: silentLog,
    ...more,
  });
  const stop = new AbortController();
  return { clock, queue, stop, ended: queue.run(stop.signal) };
}

test('keys added while they wait are worked on once, in the order they came', async () => {
  const worked: string[] = [];
  const { clock, queue } = open(async (key) => void worked.push(key), { concurrency: 1 });
  for (const key of ['a', 'b', 'a', 'b', 'c', 'a']) queue.add(key);
  assert.deepEqual(worked, [], 'adding does not work');
  await clock.settle();
  assert.deepEqual(worked, ['a', 'b', 'c']);
  assert.equal(queue.size, 0);
});

test('a key added while it is worked on is worked on once more', async () => {
  const beganAtMs: number[] = [];
  const { clock, queue } = open(async () => {
    beganAtMs.push(clock.nowMs());
    await clock.sleep(100);
  });
  queue.add('a');
  await clock.advance(50);
  queue.add('a');
  queue.add('a');
  await clock.advance(1_000);
  assert.deepEqual(beganAtMs, [0, 100]);
});

test('a failed key comes back ever later, and a success makes it forget', async () => {
  const ranAtMs: number[] = [];
  const attempts: number[] = [];
  const { clock, queue } = open(
    async () => {
      ranAtMs.push(clock.nowMs());
      if (ranAtMs.length !== 4) throw new Error('conflict');
    },
    { onFailure: (_key, _error, attempt) => attempts.push(attempt) },
  );
  queue.add('a');
  await clock.advance(10_000);
  assert.deepEqual(ranAtMs, [0, 200, 600, 1400]);
  queue.add('a');
  await clock.advance(200);
  assert.deepEqual(ranAtMs.slice(4), [10_000, 10_200]);
  assert.deepEqual(attempts, [1, 2, 3, 1, 2]);
});

test('an add does not wait for the retry, and makes it needless', async () => {
  const ranAtMs: number[] = [];
  const { clock, queue } = open(async () => {
    ranAtMs.push(clock.nowMs());
    if (ranAtMs.length === 1) throw new Error('conflict');
  });
  queue.add('a');
  await clock.advance(50);
  queue.add('a');
  await clock.advance(1_000);
  assert.deepEqual(ranAtMs, [0, 50]);
});

test('a failure is logged with its key, error and wait', async () => {
  const lines: string[] = [];
  const log = openLog('info', (line) => lines.push(line));
  const { clock, queue } = open(async () => Promise.reject(new Error('conflict')), { log });
  queue.add('default/web');
  await clock.settle();
  const { time: _, ...fields } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  assert.deepEqual(fields, {
    level: 'warn',
    message: 'work failed',
    key: 'default/web',
    error: 'conflict',
    attempt: 1,
    waitMs: 200,
  });
});

test('work can ask to be done again later; of several times the earliest counts', async () => {
  const ranAtMs: number[] = [];
  const { clock, queue } = open(async () => {
    ranAtMs.push(clock.nowMs());
    return ranAtMs.length === 1 ? { againAfterMs: 5_000 } : undefined;
  });
  queue.addAfter('a', 300);
  queue.addAfter('a', 100);
  queue.addAfter('a', 200);
  await clock.advance(10_000);
  assert.deepEqual(ranAtMs, [100, 5_100]);
});

test('an add does not take away what was asked for later', async () => {
  const ranAtMs: number[] = [];
  const { clock, queue } = open(async () => void ranAtMs.push(clock.nowMs()));
  queue.addAfter('a', 1_000);
  queue.add('a');
  await clock.advance(2_000);
  assert.deepEqual(ranAtMs, [0, 1_000]);
});

test('stopping waits for what runs, starts nothing more and keeps what is left', async () => {
  const log: string[] = [];
  const { clock, queue, stop, ended } = open(
    async (key, signal) => {
      log.push(`${key} begins`);
      await clock.sleep(100);
      if (key === 'broken-off') signal.throwIfAborted();
      log.push(`${key} ends`);
    },
    { onFailure: () => log.push('failure') },
  );
  for (const key of ['a', 'broken-off', 'waiting']) queue.add(key);
  queue.addAfter('later', 150);
  await clock.advance(50);
  stop.abort();
  let over = false;
  void ended.then(() => (over = true));
  await clock.settle();
  assert.equal(over, false);
  await clock.advance(1_000);
  await ended;
  assert.deepEqual(log, ['a begins', 'broken-off begins', 'a ends']);
  assert.equal(queue.size, 2, 'broken-off and waiting');
});

test('what is added before it runs is worked on when it runs, also a second time', async () => {
  const worked: string[] = [];
  const { clock, queue, stop, ended } = open(async (key) => void worked.push(key));
  stop.abort();
  await ended;
  queue.add('a');
  await clock.settle();
  assert.deepEqual(worked, []);
  const again = new AbortController();
  const second = queue.run(again.signal);
  await assert.rejects(queue.run(again.signal), /already running/);
  await clock.settle();
  assert.deepEqual(worked, ['a']);
  again.abort();
  await second;
});

test('a reporter of failures that throws ends the run', async () => {
  const { queue, ended } = open(async () => Promise.reject(new Error('conflict')), {
    onFailure: () => {
      throw new Error('bug');
    },
  });
  queue.add('a');
  await assert.rejects(ended, { message: 'reporting the failure of a', cause: new Error('bug') });
});

const step = fc.oneof(
  fc.record({ add: fc.nat(4) }),
  fc.record({ add: fc.nat(4), afterMs: fc.nat(500) }),
  fc.record({ passMs: fc.nat(300) }),
);

test('every add is followed by a good run that began after it; never two at a time per key, never too many', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.array(fc.record({ lastsMs: fc.nat(200), fails: fc.boolean() }), { maxLength: 30 }),
      fc.integer({ min: 1, max: 4 }),
      async (steps, fates, concurrency) => {
        let tick = 0;
        const addedAt = new Map<string, number>();
        const goodRunFrom = new Map<string, number>();
        const running = new Set<string>();
        const fate = fates.values();
        const { clock, queue, stop, ended } = open(
          async (key) => {
            const from = ++tick;
            assert(!running.has(key), `${key} runs twice`);
            running.add(key);
            assert(running.size <= concurrency, `${running.size} at once`);
            const { lastsMs, fails } = fate.next().value ?? { lastsMs: 1, fails: false };
            await clock.sleep(lastsMs);
            running.delete(key);
            if (fails) throw new Error('conflict');
            goodRunFrom.set(key, from);
          },
          { concurrency },
        );
        for (const one of steps) {
          if ('passMs' in one) await clock.advance(one.passMs);
          else {
            const key = `k${one.add}`;
            addedAt.set(key, ++tick);
            if ('afterMs' in one) queue.addAfter(key, one.afterMs);
            else queue.add(key);
          }
        }
        await clock.advance(40_000_000);
        for (const [key, at] of addedAt)
          assert((goodRunFrom.get(key) ?? 0) > at, `${key} was added and not worked on`);
        assert.equal(queue.size, 0);
        stop.abort();
        await ended;
      },
    ),
    { numRuns: 60 },
  );
});
