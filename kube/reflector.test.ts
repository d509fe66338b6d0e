import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../daemon/clock.ts';
import { explain, openLog, silentLog } from '../daemon/log.ts';
import { FakeClock } from '../daemon/testing/fake-clock.ts';
import { until } from '../daemon/testing/until.ts';
import { kinds } from './kinds.ts';
import { keyOf, type KubeObject } from './object.ts';
import { Reflector, type ReflectorOptions } from './reflector.ts';
import { namespace as build } from './testing/build.ts';
import { Proxy } from './testing/proxy.ts';
import { failWatch, refuse, reset, StubServer, type Answer } from './testing/stub-server.ts';
import { ApiError, openTransport, type Transport } from './transport.ts';

type Options = Partial<ReflectorOptions<KubeObject>>;

/** A reflector that runs until the test ends, with what it told. */
function follow(t: { after(end: () => Promise<void>): void }, url: string, more: Options = {}) {
  const transport = openTransport({ server: url });
  const told: string[] = [];
  const reflector = new Reflector<KubeObject>({
    transport,
    kind: kinds.namespace,
    log: silentLog,
    clock: systemClock,
    random: () => 0,
    onChange: ({ kind, key }) => told.push(`${kind} ${key}`),
    ...more,
  });
  const stop = new AbortController();
  const ended = reflector.run(stop.signal);
  ended.catch(() => {});
  const end = async () => {
    stop.abort();
    await ended.catch(() => {});
    transport.close();
  };
  t.after(end);
  return { reflector, told, ended, end };
}

async function opened(t: TestContext, ...names: string[]): Promise<StubServer> {
  const server = await StubServer.open();
  t.after(() => server[Symbol.asyncDispose]());
  for (const name of names) server.put(build(name));
  return server;
}

const watching = (server: StubServer, times = 1) =>
  until('it watches', () => server.watching === 1 && server.count('watch') >= times);

test('everything that is there is told first, then what happens to it', async (t) => {
  const server = await opened(t, 'a', 'b');
  const { reflector, told } = follow(t, server.url);
  await reflector.synced;
  assert.deepEqual(told, ['added a', 'added b']);
  await watching(server);
  server.put(build('c'));
  server.put(build('a', { labels: { tier: 'front' } }));
  server.remove(build('b'));
  await until('all was told', () => told.length === 5);
  assert.deepEqual(told.slice(2), ['added c', 'changed a', 'deleted b']);
  assert.equal(reflector.get('a')?.metadata.labels?.['tier'], 'front');
  assert.deepEqual([...reflector.values()].map(keyOf), ['a', 'c']);
});

test('a change is told after the store has followed, with the object as it was before', async (t) => {
  const server = await opened(t, 'a');
  const seen: unknown[] = [];
  const { reflector } = follow(t, server.url, {
    onChange: ({ kind, key, object, before }) => {
      const label = (of?: KubeObject) => of?.metadata.labels?.['v'] ?? 'none';
      seen.push([kind, label(object), label(before), reflector.get(key) === object]);
    },
  });
  await watching(server);
  server.put(build('a', { labels: { v: '1' } }));
  server.remove(build('a'));
  await until('all was told', () => seen.length === 3);
  assert.deepEqual(seen, [
    ['added', 'none', 'none', true],
    ['changed', '1', 'none', true],
    ['deleted', '1', '1', false],
  ]);
});

test('the list is asked for in pages, the watch from where the list stood, with bookmarks', async (t) => {
  const server = await opened(t, 'a', 'b', 'c', 'd', 'e');
  server.pageSize = 2;
  const { reflector } = follow(t, server.url, { labelSelector: 'tier in (a,b)' });
  await reflector.synced;
  await watching(server);
  assert.equal(reflector.size, 5);
  assert.deepEqual(
    server.asked.map((line) => Object.fromEntries(new URL(line.slice(4), server.url).searchParams)),
    [
      { limit: '500', labelSelector: 'tier in (a,b)' },
      { limit: '500', labelSelector: 'tier in (a,b)', continue: '2' },
      { limit: '500', labelSelector: 'tier in (a,b)', continue: '4' },
      {
        watch: 'true',
        resourceVersion: '15',
        allowWatchBookmarks: 'true',
        timeoutSeconds: '280',
        labelSelector: 'tier in (a,b)',
      },
    ],
  );
});

test('a list that expires between two pages starts again and is told only when complete', async (t) => {
  const server = await opened(t, 'a', 'b', 'c');
  server.pageSize = 1;
  const pass: Answer = (_request, response) => {
    const page = { metadata: { resourceVersion: '1', continue: 'x' }, items: [build('ghost')] };
    response.end(JSON.stringify(page));
  };
  server.next(pass, refuse(410, 'Expired'));
  const { reflector, told } = follow(t, server.url);
  await reflector.synced;
  assert.deepEqual(told, ['added a', 'added b', 'added c']);
});

test('items of a list carry the kind that only their list names, and no managed fields', async (t) => {
  const server = await opened(t);
  const bare = { metadata: { name: 'a', managedFields: [{ manager: 'kubectl' }] } };
  server.put(bare);
  const { reflector } = follow(t, server.url);
  await reflector.synced;
  assert.deepEqual(reflector.get('a'), {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'a', resourceVersion: '11' },
  });
});

test('what nobody reads is projected away before it is stored', async (t) => {
  const server = await opened(t, 'a');
  const keep = ({ metadata: { name, uid, resourceVersion } }: KubeObject): KubeObject => ({
    metadata: { name, ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) },
  });
  const { reflector } = follow(t, server.url, { keep });
  await reflector.synced;
  assert.deepEqual(reflector.get('a'), {
    metadata: { name: 'a', uid: 'uid-a', resourceVersion: '11' },
  });
});

for (const [fault, act] of [
  ['ends', (server) => server.endWatches()],
  ['is reset', (server) => server.resetWatches()],
  [
    'sends a truncated line',
    (server) => {
      server.send('{"type":"DEL');
      server.endWatches();
    },
  ],
  ['sends garbage', (server) => server.send('garbage\n')],
  ['sends something that is no event', (server) => server.send({ type: 'ADDED', object: {} })],
  [
    'reports an internal error',
    (server) => server.send({ type: 'ERROR', object: { code: 500, reason: 'InternalError' } }),
  ],
] satisfies [string, (server: StubServer) => void][]) {
  test(`a watch that ${fault} goes on where it stood, without a new list`, async (t) => {
    const server = await opened(t, 'a', 'b');
    const { told } = follow(t, server.url);
    await watching(server);
    server.bookmark();
    server.put(build('c'));
    const stoodAt = server.version;
    await until('c was told', () => told.length === 3);
    act(server);
    await until('the watch is gone', () => server.watching === 0 || server.count('watch') > 1);
    server.remove(build('a'));
    await until('the deletion was told', () => told.includes('deleted a'));
    assert.deepEqual(told.slice(3), ['deleted a'], 'nothing twice');
    assert.equal(server.count('list'), 1);
    assert.match(server.asked.at(-1) ?? '', new RegExp(`resourceVersion=${stoodAt}&`));
  });
}

for (const [how, answers] of [
  ['as an answer', [refuse(410, 'Expired')]],
  ['as an event', [failWatch(410, 'Expired')]],
] satisfies [string, Answer[]][]) {
  test(`an expired version, told ${how}, is answered by a new list, and only the difference is told`, async (t) => {
    const server = await opened(t, 'same', 'gone', 'new-self', 'edited');
    const { told, reflector } = follow(t, server.url);
    await watching(server);
    told.length = 0;
    server.next(...answers);
    server.endWatches();
    server.remove(build('gone'));
    server.remove(build('new-self'));
    server.put(build('new-self', { uid: 'another' }));
    server.put(build('edited', { labels: { a: 'b' } }));
    server.put(build('fresh'));
    await until('the new object is known', () => reflector.get('fresh') !== undefined);
    assert.deepEqual(told, [
      'deleted gone',
      'deleted new-self',
      'changed edited',
      'added new-self',
      'added fresh',
    ]);
    assert.equal(server.count('list'), 2);
  });
}

test('an object deleted and made again while nobody looked is told as both', async (t) => {
  const server = await opened(t, 'a');
  const { told } = follow(t, server.url);
  await watching(server);
  server.send({ type: 'MODIFIED', object: build('a', { uid: 'other', resourceVersion: '50' }) });
  await until('it was told', () => told.length === 3);
  assert.deepEqual(told, ['added a', 'deleted a', 'added a']);
});

test('a half-open connection is noticed by its silence', async (t) => {
  const server = await opened(t, 'a');
  const proxy = await Proxy.open(server.port);
  t.after(() => proxy[Symbol.asyncDispose]());
  const { told, reflector } = follow(t, proxy.url, { idleMs: 50 });
  await watching(server);
  proxy.freeze();
  server.put(build('b'));
  await until('b is known', () => reflector.get('b') !== undefined);
  assert.deepEqual(told, ['added a', 'added b']);
});

test('while the server is away nothing changes, and when it is back all of it is told', async (t) => {
  const first = await StubServer.open();
  first.put(build('a'));
  first.put(build('b'));
  const logged: string[] = [];
  const log = openLog('debug', (line) => logged.push(line));
  const { told, reflector } = follow(t, first.url, { log, random: () => 0.01 });
  await watching(first);
  const { port } = first;
  await first[Symbol.asyncDispose]();
  const warned = () => logged.some((line) => /warn.*cannot follow the API server/.test(line));
  await until('it tried in vain more than once', warned);
  assert.deepEqual([told, reflector.size], [['added a', 'added b'], 2]);
  const second = await StubServer.open(port);
  t.after(() => second[Symbol.asyncDispose]());
  second.rewind(100);
  second.put(build('a'));
  second.put(build('c'));
  second.compact();
  second.next(refuse(503, 'ServiceUnavailable'), reset, refuse(500, 'InternalError'));
  await until('c is known', () => reflector.get('c') !== undefined);
  assert.deepEqual(told.slice(2), ['deleted b', 'changed a', 'added c']);
  assert.match(logged.at(-1) ?? '', /following the API server again/);
});

test('a server that went back in time is not believed but listed again', async (t) => {
  const server = await opened(t, 'a', 'b');
  const { reflector } = follow(t, server.url);
  await watching(server);
  server.rewind(5);
  server.put(build('c'));
  await until('it listed again', () => server.count('list') === 2);
  await until('c is known', () => reflector.get('c') !== undefined);
});

test('a version the server does not know yet is given up for a new list', async (t) => {
  const server = await opened(t, 'a');
  server.next(
    (_request, response) => {
      response.end(JSON.stringify({ metadata: { resourceVersion: '900' }, items: [] }));
    },
    refuse(504, 'Timeout', 'Too large resource version: 900, current: 11'),
  );
  const { reflector } = follow(t, server.url);
  await until('a is known', () => reflector.get('a') !== undefined);
});

test('what a callback throws ends the run', async (t) => {
  const server = await opened(t, 'a');
  const fault = new Error('no such pool');
  const thrower = () => {
    throw fault;
  };
  for (const callbacks of [{ onChange: thrower }, { onList: thrower }, { keep: thrower }]) {
    const { ended, reflector } = follow(t, server.url, callbacks);
    await assert.rejects(ended, (error) => {
      assert.equal(explain(error), 'taking in a Namespace: no such pool');
      return true;
    });
    if ('onChange' in callbacks) await assert.rejects(reflector.synced);
  }
});

test('ending is quick and quiet, whatever it was doing', async (t) => {
  const server = await opened(t, 'a');
  for (const answers of [[], [refuse(503, 'Unavailable')], [() => {}]] satisfies Answer[][]) {
    server.next(...answers);
    const before = server.asked.length;
    const { ended, end, reflector } = follow(t, server.url, { random: () => 0.99 });
    await until('it asked', () => server.asked.length > before);
    await end();
    await ended;
    if (answers.length > 0) await assert.rejects(reflector.synced);
  }
});

type Watch = { readonly lastsMs: number; readonly endsWith?: Error };
const expired = new ApiError(410, 'Expired', 'too old resource version');

/**
 * A reflector in fake time, whose lists all succeed at once and whose watches go as told, the last one for ever;
 * every wait is as long as it may be. Returns what was asked when.
 */
async function timeline(watches: readonly Watch[], passMs = 3_000_000): Promise<string[]> {
  const clock = new FakeClock();
  const asked: string[] = [];
  const next = watches.values();
  const transport: Transport = {
    call: async <T>() => {
      asked.push(`list ${clock.nowMs()}`);
      return { metadata: { resourceVersion: '7' }, items: [] } as T;
    },
    lines: async function* (_call, _idleMs, signal) {
      asked.push(`watch ${clock.nowMs()}`);
      yield { type: 'BOOKMARK', object: { metadata: { resourceVersion: '7' } } };
      const { lastsMs, endsWith } = next.next().value ?? { lastsMs: Number.MAX_SAFE_INTEGER };
      await clock.sleep(lastsMs, signal);
      if (endsWith !== undefined) throw endsWith;
    },
    close: () => {},
  };
  await inFakeTime(transport, clock, passMs);
  return asked;
}

async function inFakeTime(transport: Transport, clock: FakeClock, passMs: number): Promise<void> {
  const kind = kinds.namespace;
  const log = silentLog;
  const reflector = new Reflector<KubeObject>({ transport, kind, clock, log, random: () => 1 });
  const stop = new AbortController();
  const ended = reflector.run(stop.signal);
  await clock.advance(passMs);
  stop.abort();
  await ended;
}

test('failures in a row are waited out ever longer, up to five seconds', async () => {
  const clock = new FakeClock();
  const askedAtMs: number[] = [];
  const transport: Transport = {
    call: async () => {
      askedAtMs.push(clock.nowMs());
      throw new Error('connection refused');
    },
    lines: () => assert.fail('there is nothing to watch from'),
    close: () => {},
  };
  await inFakeTime(transport, clock, 120_000);
  const waits = askedAtMs.slice(1).map((at, i) => at - (askedAtMs[i] ?? 0));
  assert.deepEqual(waits.slice(0, 7), [200, 400, 800, 1600, 3200, 5000, 5000]);
});

test('a watch whose time was up begins again at once; one that ends right away has to wait', async () => {
  assert.deepEqual(await timeline([{ lastsMs: 290_000 }, { lastsMs: 10 }, { lastsMs: 10 }]), [
    'list 0',
    'watch 0',
    'watch 290000',
    'watch 290210',
    'watch 290620',
  ]);
});

test('a healthy stretch ends the row of failures', async () => {
  const endsWith = new Error('reset');
  const short = { lastsMs: 0, endsWith };
  assert.deepEqual(await timeline([short, short, { lastsMs: 60_000, endsWith }]), [
    'list 0',
    'watch 0',
    'watch 200',
    'watch 600',
    'watch 60800',
  ]);
});

test('an expired version lists again at once, but not in a storm', async () => {
  const once = { lastsMs: 60_000, endsWith: expired };
  const again = { lastsMs: 0, endsWith: expired };
  assert.deepEqual(await timeline([once, again, again]), [
    'list 0',
    'watch 0',
    'list 60000',
    'watch 60000',
    'list 60400',
    'watch 60400',
    'list 61200',
    'watch 61200',
  ]);
});

test('watches that stay silent for ever are one day not believed any more', async () => {
  const clock = new FakeClock();
  const listedAtMs: number[] = [];
  const transport: Transport = {
    call: async <T>() => {
      listedAtMs.push(clock.nowMs());
      return { metadata: { resourceVersion: '7' }, items: [] } as T;
    },
    lines: async function* (_call, _idleMs, signal) {
      await clock.sleep(290_000, signal);
      yield* [];
    },
    close: () => {},
  };
  await inFakeTime(transport, clock, 1_000_000);
  assert.deepEqual(listedAtMs, [0, 3 * 290_000]);
});

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('put' as const), name: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), name: fc.nat(5) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom(
        ...(['bookmark', 'end', 'reset', 'garbage', 'truncate', 'error', 'compact'] as const),
        ...(['refuse', 'hangup', 'expire', 'breathe'] as const),
      ),
    }),
  },
);

test('whatever fails in between, in the end the copy and all that was told equal the server', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer(), async (steps, seed) => {
      await using server = await StubServer.open();
      server.pageSize = 2;
      const replayed = new Map<string, KubeObject>();
      const cleanups: (() => Promise<void>)[] = [];
      const { reflector, ended } = follow({ after: (end) => void cleanups.push(end) }, server.url, {
        onChange: ({ kind, key, object }) => {
          assert.equal(replayed.has(key), kind !== 'added', `${kind} ${key}`);
          if (kind === 'deleted') replayed.delete(key);
          else {
            const before = replayed.get(key);
            if (before !== undefined) assert.equal(before.metadata.uid, object.metadata.uid);
            replayed.set(key, object);
          }
        },
      });
      const there = new Map<string, KubeObject>();
      let uid = seed;
      for (const one of steps) {
        if (one.do === 'put') {
          const name = `n${one.name}`;
          const metadata = there.get(name)?.metadata;
          there.set(name, server.put(build(name, { uid: metadata?.uid ?? `uid-${uid++}` })));
        } else if (one.do === 'remove') {
          const object = there.get(`n${one.name}`);
          if (object !== undefined) server.remove(object);
          there.delete(`n${one.name}`);
        } else await disturb(server, one.do);
      }
      await until('the copy equals the server', () => {
        const copy = [...reflector.values()].map((object) => object.metadata);
        const truth = [...there.values()].map((object) => object.metadata);
        const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
        assert.deepEqual(copy.sort(byName), truth.sort(byName));
        return true;
      });
      assert.deepEqual(new Map([...reflector.values()].map((o) => [keyOf(o), o])), replayed);
      for (const end of cleanups) await end();
      await ended;
    }),
    { numRuns: 60 },
  );
});

async function disturb(server: StubServer, how: string): Promise<void> {
  if (how === 'bookmark') server.bookmark();
  if (how === 'end') server.endWatches();
  if (how === 'reset') server.resetWatches();
  if (how === 'garbage') server.send('garbage\n');
  if (how === 'error') server.send({ type: 'ERROR', object: { code: 500 } });
  if (how === 'compact') server.compact();
  if (how === 'refuse') server.next(refuse(500, 'InternalError'));
  if (how === 'hangup') server.next(reset);
  if (how === 'expire') server.next(refuse(410, 'Expired'));
  if (how === 'breathe') await until('it watches', () => server.watching > 0);
  if (how === 'truncate') {
    server.send('{"type":"DELE');
    server.endWatches();
  }
}
