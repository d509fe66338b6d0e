import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../daemon/log.ts';
import { FakeClock } from '../daemon/testing/fake-clock.ts';
import type { L2Status } from '../crds/l2-status.ts';
import { HolderReports } from './holder-reports.ts';
import { Holdings } from './holdings.ts';
import { recordOf } from './l2-record.ts';
import type { Fact } from './orders.ts';
import { held } from './testing/held.ts';
import { planOf } from './testing/plan.ts';

const service = 'default/web';
const address = '198.51.100.1';

const yielded = (of = address): Fact => ({
  kind: 'yielded',
  link: 'eth0',
  address: of,
  reason: 'HandedOver',
  to: 'node-2',
});

/** Nodes that write into the same objects; a request takes as long as the clock is told to stand still. */
function open() {
  const clock = new FakeClock(60_000);
  const objects = new Map<string, L2Status>();
  const looks: { readonly node: string; readonly atMs: number; readonly kind: string }[] = [];
  const stop = new AbortController();
  const running: Promise<void>[] = [];
  return {
    clock,
    objects,
    looks,
    nodes: (of = service) => objects.get(of)?.holders?.map(({ node }) => node),
    writes: () => looks.filter(({ kind }) => kind === 'write').length,
    /** `isFirst`: it clears up after the dead. */
    node(node: string, isFirst = false) {
      const holdings = new Holdings();
      const reports = new HolderReports({
        holdings,
        write: async (knowledge, overruled) => {
          const outcome = recordOf(
            objects.get(knowledge.service) ?? {},
            { ...knowledge, node },
            overruled,
          );
          if (outcome.kind === 'write') objects.set(knowledge.service, outcome.status);
          if (outcome.kind === 'remove') objects.delete(knowledge.service);
          looks.push({ node, atMs: clock.nowMs(), kind: outcome.kind });
          return outcome;
        },
        isFirst: () => isFirst,
        onOutcome: () => {},
        clock,
        random: () => 0.5,
        log: silentLog,
      });
      running.push(reports.run(stop.signal));
      return {
        note: (fact: Fact) => reports.changed(holdings.note(fact, clock.wall())),
        plan: (addresses: Record<string, readonly string[]>) =>
          reports.changed(holdings.adopt(planOf(addresses))),
      };
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(running);
    },
  };
}

const web = { [address]: [service] };

test('a holder writes, looks once more, and then asks nobody anything', async () => {
  await using place = open();
  const node = place.node('node-1');
  node.plan(web);
  node.note(held());
  await place.clock.advance(60_000);
  assert.deepEqual(
    place.looks.map(({ atMs, kind }) => [atMs - 60_000, kind]),
    [
      [0, 'write'],
      [5_000, 'keep'],
    ],
  );
});

test('who holds nothing of a Service and wrote nothing about it asks nothing', async () => {
  await using place = open();
  const node = place.node('node-1');
  node.plan(web);
  node.plan({});
  await place.clock.advance(60_000);
  assert.deepEqual(place.looks, []);
});

test('a Service that is announced no more has no object', async () => {
  await using place = open();
  const node = place.node('node-1');
  node.plan(web);
  node.note(held());
  await place.clock.advance(100);
  node.plan({});
  await place.clock.advance(0);
  assert.deepEqual([...place.objects], []);
});

test('what a dead holder left of a Service that nobody is to hold any more is taken away by one other node', async () => {
  await using place = open();
  const [one, two, three] = [
    place.node('node-1'),
    place.node('node-2', true),
    place.node('node-3'),
  ];
  for (const node of [one, two, three]) node.plan(web);
  one.note(held());
  await place.clock.advance(10_000);
  const { length } = place.looks;
  for (const node of [two, three]) node.plan({});
  await place.clock.advance(59_000);
  assert.deepEqual(place.nodes(), ['node-1']);
  await place.clock.advance(60_000);
  assert.deepEqual([...place.objects], []);
  assert.deepEqual(
    place.looks.slice(length).map(({ node, kind }) => [node, kind]),
    [['node-2', 'remove']],
  );
});

test('of what is planned again by then nobody takes anything away', async () => {
  await using place = open();
  const [one, two] = [place.node('node-1'), place.node('node-2', true)];
  for (const node of [one, two]) node.plan(web);
  one.note(held());
  await place.clock.advance(10_000);
  const { length } = place.looks;
  two.plan({});
  await place.clock.advance(30_000);
  two.plan(web);
  await place.clock.advance(60_000);
  assert.deepEqual(place.nodes(), ['node-1']);
  assert.equal(place.looks.length, length);
});

test('a node with the old plan that writes once more takes that back when it has the new one', async () => {
  await using place = open();
  const [one, two] = [place.node('node-1'), place.node('node-2')];
  one.plan(web);
  two.plan(web);
  one.note(held());
  await place.clock.advance(100);
  one.plan({});
  two.note(held({ term: 2, reason: 'Released' }));
  await place.clock.advance(100);
  assert.deepEqual(place.nodes(), ['node-2']);
  two.plan({});
  await place.clock.advance(0);
  assert.deepEqual([...place.objects], []);
});

test('what a node gave up and nobody took is taken out a little later', async () => {
  await using place = open();
  const node = place.node('node-1');
  node.plan(web);
  node.note(held());
  await place.clock.advance(10_000);
  node.note(yielded());
  await place.clock.advance(4_000);
  assert.deepEqual(place.nodes(), ['node-1']);
  await place.clock.advance(2_000);
  assert.deepEqual([...place.objects], []);
});

test('a holder whose link has another MAC writes that, and no move', async () => {
  await using place = open();
  const node = place.node('node-1');
  node.plan(web);
  node.note(held());
  await place.clock.advance(10_000);
  node.note({ kind: 'mac', link: 'eth0', mac: '02:00:00:00:01:01' });
  await place.clock.advance(0);
  const { mac, moves, since } = place.objects.get(service) ?? {};
  assert.deepEqual([mac, moves, since], ['02:00:00:00:01:01', 0, '2026-01-01T00:01:00.000Z']);
});

test('an object that says what was before all nodes restarted is put right', async () => {
  await using place = open();
  const [one, two] = [place.node('node-1'), place.node('node-2')];
  one.plan(web);
  one.note(held({ term: 9 }));
  await place.clock.advance(10_000);
  two.plan(web);
  two.note(held({ term: 1 }));
  await place.clock.advance(4_000);
  assert.deepEqual(place.nodes(), ['node-1']);
  await place.clock.advance(2_000);
  assert.deepEqual(place.nodes(), ['node-2']);
});

test('who stood still and has lost meanwhile does not write over who holds', async () => {
  await using place = open();
  const [one, two] = [place.node('node-1'), place.node('node-2')];
  one.plan(web);
  two.plan(web);
  one.note(held());
  await place.clock.advance(100);
  two.note(held({ term: 2, reason: 'HolderDied', from: 'node-1' }));
  await place.clock.leap(60_000);
  one.note(yielded());
  await place.clock.advance(60_000);
  assert.deepEqual(place.nodes(), ['node-2']);
});

test('two that hold one address, each on a network of its own, do not write for ever', async () => {
  await using place = open();
  const [one, two] = [place.node('node-1'), place.node('node-2')];
  one.plan(web);
  two.plan(web);
  one.note(held());
  two.note(held());
  await place.clock.advance(60_000);
  const { length } = place.looks;
  assert.ok(length < 12, `${length} looks`);
  await place.clock.advance(600_000);
  assert.equal(place.looks.length, length);
});

test('an address that leaves and comes back before its turn is written once', async () => {
  await using place = open();
  const node = place.node('node-1');
  const many = Object.fromEntries(
    Array.from({ length: 300 }, (_, index) => [`203.0.113.${index}`, [`default/s-${index}`]]),
  );
  node.plan({ ...many, ...web });
  for (const each of Object.keys(many)) node.note(held({ address: each }));
  node.note(held());
  node.note(yielded());
  node.note(held({ term: 3 }));
  await place.clock.advance(30_000);
  const { objects } = place;
  assert.equal(objects.get(service)?.holders?.[0]?.term, 3);
  assert.equal(place.writes(), 301);
});

test('ten thousand Services that move at once are written at 100 a second, all of them', async () => {
  await using place = open();
  const node = place.node('node-1');
  const count = 10_000;
  const addresses = Array.from({ length: count }, (_, i) => `2001:db8::${i.toString(16)}`);
  node.plan(Object.fromEntries(addresses.map((each, i) => [each, [`default/s-${i}`]])));
  for (const each of addresses)
    node.note(held({ address: each, term: 2, reason: 'HolderDied', from: 'node-9' }));
  await place.clock.advance(100_000);
  assert.equal(place.objects.size, count);
  await place.clock.advance(110_000);
  assert.equal(place.writes(), count);
  assert.equal(place.looks.length, 2 * count);
  const seconds = new Map<number, number>();
  for (const { atMs } of place.looks) {
    const second = Math.floor((atMs - 60_000) / 1_000);
    seconds.set(second, (seconds.get(second) ?? 0) + 1);
  }
  // What gathered while nothing was to do goes at once.
  const [first = 0, ...rest] = seconds.values();
  assert.ok(first <= 200, `${first} in the first second`);
  assert.ok(Math.max(...rest) <= 101, `${Math.max(...rest)} in a later one`);
});
