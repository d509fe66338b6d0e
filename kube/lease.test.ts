import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Clock } from '../daemon/clock.ts';
import { silentLog } from '../daemon/log.ts';
import { FakeClock } from '../daemon/testing/fake-clock.ts';
import { claimLease, formatMicroTime, judgeLease } from './lease-claim.ts';
import { holdLease } from './lease.ts';
import type { Lease } from './object.ts';
import { lease as build } from './testing/build.ts';
import { ApiError, type Call, type Transport } from './transport.ts';

/** Keeps one Lease and refuses what was not written from its latest version. */
class LeaseKeeper {
  stored: Lease | undefined;
  #version = 0;

  take(call: Call): unknown {
    const body = call.body as Lease | undefined;
    switch (call.method) {
      case 'GET':
        if (this.stored === undefined) throw new ApiError(404, 'NotFound', 'no such lease');
        return this.stored;
      case 'POST':
        if (this.stored !== undefined) throw new ApiError(409, 'AlreadyExists', 'it is there');
        return this.#store(body);
      case 'PUT':
        if (this.stored === undefined) throw new ApiError(404, 'NotFound', 'no such lease');
        if (body?.metadata.resourceVersion !== this.stored.metadata.resourceVersion)
          throw new ApiError(409, 'Conflict', 'it has been modified');
        return this.#store(body);
      case 'PATCH':
      case 'DELETE':
        throw new Error(`${call.method} is not for leases`);
    }
  }

  #store(body: Lease | undefined): Lease {
    assert(body !== undefined);
    const resourceVersion = String(++this.#version);
    this.stored = { ...body, metadata: { ...body.metadata, uid: 'one', resourceVersion } };
    return this.stored;
  }
}

/** A process that wants the lease, and that can be stopped, cut off from the server, and asked to end. */
class Contender {
  readonly #keeper: LeaseKeeper;
  readonly #clock: FakeClock;
  readonly #stop = new AbortController();
  /** Resolved while it runs; a stopped process goes no further than this. */
  #running = Promise.resolve();
  #go = () => {};
  connected = true;
  /** The server takes in what is sent, but its answers are lost. */
  deaf = false;
  stopped = false;
  tenures = 0;
  readonly identity: string;
  readonly ended: Promise<void>;
  #signal: AbortSignal | undefined;

  constructor(keeper: LeaseKeeper, clock: FakeClock, identity: string, random: () => number) {
    this.#keeper = keeper;
    this.#clock = clock;
    this.identity = identity;
    const own: Clock = {
      nowMs: () => clock.nowMs(),
      wall: () => clock.wall(),
      sleep: async (ms, signal) => {
        await clock.sleep(ms, signal);
        await this.#running;
      },
    };
    this.ended = holdLease(
      {
        transport: this.#transport(),
        namespace: 'metallb-system',
        name: 'operator',
        identity,
        leaseSeconds: 15,
        clock: own,
        random,
        log: silentLog,
        whileHeld: async (signal) => {
          this.tenures++;
          this.#signal = signal;
          await own.sleep(Number.MAX_SAFE_INTEGER, signal);
        },
      },
      this.#stop.signal,
    );
  }

  /** It would write now. */
  get acts(): boolean {
    return !this.stopped && this.#signal?.aborted === false;
  }

  sigstop(): void {
    if (this.stopped) return;
    this.stopped = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#running = promise;
    this.#go = resolve;
  }

  sigcont(): void {
    this.stopped = false;
    this.#go();
  }

  async end(): Promise<void> {
    this.sigcont();
    this.connected = true;
    this.#stop.abort(new Error('the end'));
    // A call on a dead connection first runs into its time limit.
    for (let i = 0; i < 40; i++) await this.#clock.advance(1_000);
    await this.ended;
  }

  #transport(): Transport {
    return {
      call: async <T>(call: Call, signal?: AbortSignal) => {
        await this.#running;
        signal?.throwIfAborted();
        const lost = async () => {
          await this.#clock.sleep(call.timeoutMs ?? 30_000, signal);
          throw new Error('no answer');
        };
        await this.#clock.sleep(20, signal);
        if (!this.connected) await lost();
        const answer = this.#keeper.take(call);
        if (this.deaf) await lost();
        await this.#clock.sleep(20, signal);
        await this.#running;
        return answer as T;
      },
      lines: () => assert.fail('leases are not watched'),
      close: () => {},
    };
  }
}

function open(...names: string[]) {
  const clock = new FakeClock();
  const keeper = new LeaseKeeper();
  const contenders = names.map((name) => new Contender(keeper, clock, name, () => 0.5));
  const end = () => Promise.all(contenders.map((one) => one.end()));
  return { clock, keeper, contenders, end };
}

const acting = (contenders: readonly Contender[]) =>
  contenders.filter((one) => one.acts).map((one) => one.identity);

test('the first candidate creates the lease and keeps it, the other waits', async () => {
  const { clock, keeper, contenders, end } = open('a', 'b');
  await clock.advance(60_000);
  assert.deepEqual(acting(contenders), ['a']);
  const { holderIdentity, leaseDurationSeconds, leaseTransitions } = keeper.stored?.spec ?? {};
  assert.deepEqual([holderIdentity, leaseDurationSeconds, leaseTransitions], ['a', 15, 0]);
  assert.equal(keeper.stored?.spec?.acquireTime, '2026-01-01T00:00:00.020000Z');
  const renewedMs = Date.parse(keeper.stored?.spec?.renewTime ?? '') - Date.UTC(2026, 0, 1);
  assert(renewedMs > 54_000, `renewed at ${renewedMs} ms`);
  await end();
});

test('ending gives the lease back, so that the next need not wait it out', async () => {
  const { clock, keeper, contenders, end } = open('a', 'b');
  await clock.advance(20_000);
  const ended = contenders[0]?.end();
  await clock.advance(3_500);
  assert.deepEqual(acting(contenders), ['b']);
  assert.equal(keeper.stored?.spec?.leaseTransitions, 1);
  await ended;
  await end();
  assert.equal(keeper.stored?.spec?.holderIdentity, '');
});

test('who is asked to end may end what it began while the lease lasts, and does not renew it', async () => {
  const clock = new FakeClock();
  const keeper = new LeaseKeeper();
  const stop = new AbortController();
  const seen: boolean[][] = [];
  const ended = holdLease(
    {
      transport: {
        call: async <T>(call: Call) => keeper.take(call) as T,
        lines: () => assert.fail('leases are not watched'),
        close: () => {},
      },
      namespace: 'default',
      name: 'l',
      identity: 'a',
      leaseSeconds: 15,
      clock,
      random: () => 0,
      log: silentLog,
      whileHeld: async (signal, held) => {
        for (const ms of [1_000, 8_900, 200]) {
          await clock.sleep(ms);
          seen.push([signal.aborted, held.aborted]);
        }
      },
    },
    stop.signal,
  );
  await clock.settle();
  stop.abort(new Error('the end'));
  await clock.advance(12_000);
  await ended;
  assert.deepEqual(seen, [
    [true, false],
    [true, false],
    [true, true],
  ]);
  assert.equal(
    keeper.stored?.spec?.holderIdentity,
    'a',
    'what is not known to have ended is waited out',
  );
});

test('a dead holder is followed a whole lease after it was last heard of, not before', async () => {
  const { clock, contenders, end } = open('a', 'b');
  await clock.advance(20_000);
  contenders[0]?.sigstop();
  await clock.advance(9_900);
  assert.deepEqual(acting(contenders), []);
  await clock.advance(9_000);
  assert.deepEqual(acting(contenders), ['b']);
  await end();
});

test('a process that was stopped does not act when it goes on, not even once', async () => {
  const { clock, contenders, end } = open('a', 'b');
  await clock.advance(20_000);
  contenders[0]?.sigstop();
  await clock.advance(60_000);
  contenders[0]?.sigcont();
  assert.deepEqual(acting(contenders), ['b'], 'before anything of it could run');
  await clock.advance(60_000);
  assert.deepEqual(acting(contenders), ['b']);
  await end();
});

test('a holder cut off from the server stops acting after two thirds of the lease', async () => {
  const { clock, contenders, end } = open('a');
  await clock.advance(1_000);
  const [a] = contenders;
  assert(a !== undefined);
  a.connected = false;
  await clock.advance(8_900);
  assert.equal(a.acts, true);
  await clock.advance(200);
  assert.equal(a.acts, false);
  a.connected = true;
  await clock.advance(10_000);
  assert.deepEqual([a.acts, a.tenures], [true, 2], 'its own lease is taken back at once');
  await end();
});

test('a short break costs nothing', async () => {
  const { clock, contenders, end } = open('a', 'b');
  await clock.advance(14_000);
  for (const one of contenders) one.connected = false;
  await clock.advance(4_000);
  for (const one of contenders) one.connected = true;
  await clock.advance(60_000);
  assert.deepEqual([acting(contenders), contenders[0]?.tenures], [['a'], 1]);
  await end();
});

test('answers that were lost are no conflict with oneself', async () => {
  const { clock, contenders, end } = open('a');
  const [a] = contenders;
  assert(a !== undefined);
  await clock.advance(4_990);
  a.deaf = true;
  await clock.advance(1_000);
  a.deaf = false;
  await clock.advance(60_000);
  assert.deepEqual([a.acts, a.tenures], [true, 1]);
  await end();
});

test('an edit by somebody else is no loss; a change of holder is, at the next renewal', async () => {
  const { clock, keeper, contenders, end } = open('a');
  await clock.advance(1_000);
  const edit = (change: Lease['spec']) => {
    const stored = keeper.stored;
    assert(stored !== undefined);
    keeper.take({
      method: 'PUT',
      path: '',
      body: { ...stored, spec: { ...stored.spec, ...change } },
    });
  };
  edit({});
  await clock.advance(20_000);
  assert.equal(contenders[0]?.tenures, 1);
  edit({ holderIdentity: 'b' });
  await clock.advance(5_500);
  assert.deepEqual(acting(contenders), []);
  await end();
});

test('a deleted lease ends the tenure at the next renewal, and is made again', async () => {
  const { clock, keeper, contenders, end } = open('a');
  await clock.advance(1_000);
  keeper.stored = undefined;
  await clock.advance(5_000);
  assert.deepEqual([acting(contenders), contenders[0]?.tenures], [['a'], 2]);
  await end();
});

test('work that is done gives the lease back; work that fails does, too, and tells', async () => {
  const signals: AbortSignal[] = [];
  for (const fault of [undefined, new Error('no such pool')]) {
    const keeper = new LeaseKeeper();
    const held = holdLease(
      {
        transport: {
          call: async <T>(call: Call) => keeper.take(call) as T,
          lines: () => assert.fail('leases are not watched'),
          close: () => {},
        },
        namespace: 'default',
        name: 'l',
        identity: 'a',
        leaseSeconds: 15,
        clock: new FakeClock(),
        random: () => 0,
        log: silentLog,
        whileHeld: async (signal) => {
          signals.push(signal);
          assert.equal(keeper.stored?.spec?.holderIdentity, 'a');
          if (fault !== undefined) throw fault;
        },
      },
      new AbortController().signal,
    );
    if (fault === undefined) await held;
    else await assert.rejects(held, (error) => error === fault);
    assert.equal(keeper.stored?.spec?.holderIdentity, '');
  }
  assert(
    signals.every((signal) => signal.aborted),
    'nobody goes on acting',
  );
  assert.throws(() => signals[0]?.throwIfAborted(), /was given back/);
});

const event = fc.record({
  who: fc.nat(2),
  what: fc.constantFrom('sigstop', 'sigcont', 'cut', 'mend', 'deafen', 'wait'),
  thenMs: fc.nat(20_000),
});

test('never do two act at once, whoever is stopped, cut off or unheard; and in the end one does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 25 }), async (events) => {
      const { clock, contenders, end } = open('a', 'b', 'c');
      const pass = async (ms: number) => {
        for (let left = ms; left > 0; left -= 500) {
          await clock.advance(Math.min(left, 500));
          const now = acting(contenders);
          assert(now.length <= 1, `${now.join(' and ')} at ${clock.nowMs()} ms`);
        }
      };
      for (const { who, what, thenMs } of events) {
        const one = contenders[who];
        assert(one !== undefined);
        if (what === 'sigstop') one.sigstop();
        if (what === 'sigcont') one.sigcont();
        if (what === 'cut') one.connected = false;
        if (what === 'deafen') one.deaf = true;
        if (what === 'mend') one.connected = !(one.deaf = false);
        assert(acting(contenders).length <= 1, `${acting(contenders).join(' and ')} after ${what}`);
        await pass(thenMs);
      }
      for (const one of contenders) {
        one.sigcont();
        one.connected = true;
        one.deaf = false;
      }
      await pass(40_000);
      assert.equal(acting(contenders).length, 1);
      await end();
    }),
    { numRuns: 25 },
  );
});

test('a lease is judged by how long it has not changed here, whatever times it carries', () => {
  const seen = { identity: 'a', leaseSeconds: 15, unchangedMs: 0 };
  const held = (spec: Lease['spec']) => build('l', { spec: { holderIdentity: 'b', ...spec } });
  assert.equal(judgeLease(undefined, seen).kind, 'create');
  assert.equal(judgeLease(build('l'), seen).kind, 'take');
  assert.equal(judgeLease(held({ holderIdentity: 'a' }), seen).kind, 'take');
  const old = held({ renewTime: '1999-01-01T00:00:00.000000Z' });
  assert.deepEqual(judgeLease(old, seen), { kind: 'wait', holder: 'b', waitMs: 15_000 });
  assert.equal(judgeLease(old, { ...seen, unchangedMs: 15_000 }).kind, 'take');
  const longer = held({ leaseDurationSeconds: 60 });
  assert.equal(judgeLease(longer, { ...seen, unchangedMs: 59_999 }).kind, 'wait');
});

test('changes of hands are counted, renewals are not, and times have six digits', () => {
  const wall = new Date('2026-01-02T03:04:05.678Z');
  assert.equal(formatMicroTime(wall), '2026-01-02T03:04:05.678000Z');
  const mine = claimLease(undefined, { identity: 'a', leaseSeconds: 15 }, wall);
  assert.equal(mine.leaseTransitions, 0);
  const later = new Date('2026-01-02T03:05:00.000Z');
  const renewed = claimLease(mine, { identity: 'a', leaseSeconds: 15 }, later);
  assert.deepEqual([renewed.leaseTransitions, renewed.acquireTime], [0, mine.acquireTime]);
  const taken = claimLease(renewed, { identity: 'b', leaseSeconds: 15 }, later);
  assert.deepEqual([taken.leaseTransitions, taken.acquireTime], [1, taken.renewTime]);
});
