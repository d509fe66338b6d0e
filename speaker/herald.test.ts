import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../daemon/testing/fake-clock.ts';

import { Herald } from './herald.ts';
import { Holdings } from './holdings.ts';
import type { Fact } from './orders.ts';
import { held } from './testing/held.ts';
import { planOf } from './testing/plan.ts';

const address = '198.51.100.1';

const yielded: Fact = { kind: 'yielded', link: 'eth0', address, reason: 'BetterClaim' };

/** A herald at its place, and what it has said, as `service link term`. */
function open(synced = Promise.resolve()) {
  const clock = new FakeClock();
  const holdings = new Holdings();
  const said: string[] = [];
  const stop = new AbortController();
  const herald = new Herald({
    holdings,
    announce: (service, { link, term }) => said.push(`${service} ${link} ${term}`),
    synced: () => synced,
    clock,
  });
  const running = herald.run(stop.signal);
  return {
    clock,
    said,
    note: (fact: Fact) => herald.changed(holdings.note(fact, clock.wall())),
    plan: (...services: string[]) =>
      herald.changed(holdings.adopt(planOf({ [address]: services }))),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

test('a new holder is told once, however often it is looked at', async () => {
  await using place = open();
  place.plan('default/web');
  place.note(held());
  await place.clock.advance(1_000);
  assert.deepEqual(place.said, ['default/web eth0 1']);
  place.note(held());
  place.plan('default/web', 'default/other');
  place.plan('default/web');
  await place.clock.advance(1_000);
  assert.deepEqual(place.said, ['default/web eth0 1']);
});

test('of two that took an address at once, the one that gives it up has said nothing', async () => {
  await using place = open();
  place.plan('default/web');
  place.note(held());
  await place.clock.advance(100);
  place.note(yielded);
  await place.clock.advance(5_000);
  assert.deepEqual(place.said, []);
});

test('who takes an address again says so again', async () => {
  await using place = open();
  place.plan('default/web');
  place.note(held());
  await place.clock.advance(1_000);
  place.note(yielded);
  await place.clock.advance(1_000);
  place.note(held({ term: 3 }));
  await place.clock.advance(1_000);
  assert.deepEqual(place.said, ['default/web eth0 1', 'default/web eth0 3']);
});

test('each link has a holder of its own', async () => {
  await using place = open();
  place.plan('default/web');
  place.note(held());
  place.note(held({ link: 'eth1' }));
  await place.clock.advance(1_000);
  assert.deepEqual(place.said, ['default/web eth0 1', 'default/web eth1 1']);
});

test('a Service that comes to share a held address is told of, and the other is not again', async () => {
  await using place = open();
  place.plan('default/web');
  place.note(held());
  await place.clock.advance(1_000);
  place.plan('default/web', 'default/dns');
  await place.clock.advance(1_000);
  assert.deepEqual(place.said, ['default/web eth0 1', 'default/dns eth0 1']);
});

test('who goes on holding it under another MAC is no other holder', async () => {
  await using place = open();
  place.plan('default/web');
  place.note(held());
  await place.clock.advance(1_000);
  place.note({ kind: 'mac', link: 'eth0', mac: '02:00:00:00:01:01' });
  await place.clock.advance(1_000);
  assert.deepEqual(place.said, ['default/web eth0 1']);
});

test('what is held before any Service is known is told of once they are', async () => {
  const { promise: synced, resolve } = Promise.withResolvers<void>();
  await using place = open(synced);
  place.plan('default/web');
  place.note(held());
  await place.clock.advance(60_000);
  assert.deepEqual(place.said, []);
  resolve();
  await place.clock.advance(60_000);
  assert.deepEqual(place.said, ['default/web eth0 1']);
});

test('what the API server takes away with its first word is not told of', async () => {
  const { promise: synced, resolve } = Promise.withResolvers<void>();
  await using place = open(synced);
  place.plan('default/web');
  place.note(held());
  await place.clock.advance(60_000);
  resolve();
  await place.clock.advance(100);
  place.plan();
  await place.clock.advance(60_000);
  assert.deepEqual(place.said, []);
});
