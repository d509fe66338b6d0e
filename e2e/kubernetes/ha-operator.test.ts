/**
 * Proves that of two operators one leads, whatever happens to it: while Services come, go and are edited all the time, the
 * leader is killed, frozen past its lease, cut off, and stopped in order. A judge of its own watches every write: never one
 * address on two Services, never an address lost, nobody without one for longer than a takeover takes.
 * The order is drawn from a seed, which the test names: HA_SEED=n draws the same one again; HA_ROUNDS=n plays longer.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { env } from 'node:process';
import { after, before, suite, test } from 'node:test';
import { systemClock as clock } from '../../daemon/clock.ts';
import { until } from '../../daemon/testing/until.ts';
import { openTransport, type Transport } from '../../kube/transport.ts';
import { drawFrom, shuffled } from '../faults/draw.ts';
import { FaultyRelay } from '../faults/relay.ts';
import type { Running } from '../lab/host.ts';
import { type ControlPlane, openControlPlane } from './control-plane.ts';
import { apiServerPort } from './flags.ts';
import { openFolder } from './folder.ts';
import { createService, keepWriting, prepare } from './load.ts';
import { leaderOf, operatorWithKubeconfig } from './operators.ts';
import { Loopback } from './place.ts';
import { needsPrograms } from './programs.ts';
import { ServiceJudge } from './service-judge.ts';

const leaseSeconds = 3;
const leaseMs = leaseSeconds * 1_000;
/** The other one asks for the lease every sixth of its time, with a fifth of jitter: so late may it have seen the last renewal. */
const askMs = (leaseMs / 6) * 1.2;
/** What a machine with two cores and a control plane takes to start a process, or to answer. */
const graceMs = 2_000;

const seed = Number(env['HA_SEED'] ?? randomInt(2 ** 31));
const rounds = Number(env['HA_ROUNDS'] ?? 10);

/** One of the two operators, and its own way to the API server. */
class Replica implements AsyncDisposable {
  readonly name: string;
  readonly relay: FaultyRelay;
  readonly #place: Loopback;
  #running: Running;

  private constructor(
    name: string,
    relay: FaultyRelay,
    { place, running }: { place: Loopback; running: Running },
  ) {
    this.name = name;
    this.relay = relay;
    this.#place = place;
    this.#running = running;
  }

  static async open(plane: ControlPlane, folder: string, name: string): Promise<Replica> {
    const place = new Loopback(folder);
    const host = place.address;
    const relay = await FaultyRelay.open({ host, target: { host, port: apiServerPort } });
    const { ca = '', cert = '', key = '' } = plane.admin;
    const kubeconfig = { server: `https://${host}:${relay.port}`, ca, user: { cert, key } };
    const program = operatorWithKubeconfig(folder, kubeconfig, { name, leaseSeconds });
    return new Replica(name, relay, { place, running: place.install(program) });
  }

  signal(signal: NodeJS.Signals): void {
    this.#running.signal(signal);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#running.exited;
  }

  async stop(): Promise<string> {
    return await this.#running.stop(20_000);
  }

  start(): void {
    this.#running = this.#place.start(this.name);
  }

  logOf(lines: number): string {
    return this.#place.logOf(this.name, lines);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.relay[Symbol.asyncDispose]();
  }
}

const needs = await needsPrograms('etcd', 'kube-apiserver', 'kubectl');

suite('two operators', needs, () => {
  const open = new AsyncDisposableStack();
  const replicas: Replica[] = [];
  let api: Transport;
  let judge: ServiceJudge;

  before(async () => {
    const plane = open.use(await openControlPlane({ controllers: false }));
    const folder = open.use(openFolder());
    api = openTransport(plane.admin);
    open.defer(() => api.close());
    await prepare(api);
    judge = open.use(await ServiceJudge.open(plane.admin));
    for (const name of ['one', 'two'])
      replicas.push(open.use(await Replica.open(plane, folder.path, name)));
    await createService(api, 'first');
    await until('one leads and gives', () => judge.addressOf('default/first') !== '', {
      withinMs: 20_000,
    });
  });
  after(() => open.disposeAsync());

  async function leader(): Promise<{ leading: Replica; other: Replica; transitions: number }> {
    return await until('one of them leads', async () => {
      const { name, transitions } = await leaderOf(api);
      const leading = replicas.find((one) => one.name === name);
      const other = replicas.find((one) => one !== leading);
      return leading !== undefined && other !== undefined && { leading, other, transitions };
    });
  }

  /** How long it takes until another leads. */
  async function takeover({ transitions }: { transitions: number }): Promise<number> {
    const fromMs = clock.nowMs();
    const handedOver = async () => {
      const now = await leaderOf(api);
      return now.transitions > transitions && now.name !== '';
    };
    await until('another leads', handedOver, { withinMs: 4 * leaseMs, everyMs: 20 });
    return clock.nowMs() - fromMs;
  }

  const faults: Readonly<Record<string, { withinMs: number; play: () => Promise<number> }>> = {
    'kill -9': {
      withinMs: leaseMs + askMs,
      play: async () => {
        const now = await leader();
        await now.leading.kill();
        const tookMs = await takeover(now);
        now.leading.start();
        return tookMs;
      },
    },
    'frozen, then continued': {
      withinMs: leaseMs + askMs,
      play: async () => {
        const now = await leader();
        now.leading.signal('SIGSTOP');
        const tookMs = await takeover(now);
        await clock.sleep(300);
        now.leading.signal('SIGCONT');
        return tookMs;
      },
    },
    'cut off without a word': {
      withinMs: leaseMs + askMs,
      play: async () => {
        const now = await leader();
        now.leading.relay.change({ kind: 'held' });
        const tookMs = await takeover(now);
        await clock.sleep(300);
        now.leading.relay.change({ kind: 'clear' });
        return tookMs;
      },
    },
    'cut off and frozen, then healed and continued': {
      withinMs: leaseMs + askMs,
      play: async () => {
        const now = await leader();
        now.leading.relay.change({ kind: 'held' });
        await clock.sleep(200);
        now.leading.signal('SIGSTOP');
        const tookMs = await takeover(now);
        // What it had sent before it was frozen arrives now.
        now.leading.relay.change({ kind: 'clear' });
        await clock.sleep(300);
        now.leading.signal('SIGCONT');
        return tookMs;
      },
    },
    'cut off by resets': {
      withinMs: leaseMs + askMs,
      play: async () => {
        const now = await leader();
        now.leading.relay.change({ kind: 'refused' });
        now.leading.relay.reset();
        const tookMs = await takeover(now);
        now.leading.relay.change({ kind: 'clear' });
        return tookMs;
      },
    },
    'stopped in order': {
      withinMs: askMs + 500,
      play: async () => {
        const now = await leader();
        const [tookMs, how] = await Promise.all([takeover(now), now.leading.stop()]);
        assert.equal(how, 'with code 0', now.leading.logOf(5));
        now.leading.start();
        return tookMs;
      },
    },
    'both killed, one comes back': {
      withinMs: leaseMs + askMs,
      play: async () => {
        const now = await leader();
        await Promise.all(replicas.map((one) => one.kill()));
        now.other.start();
        const tookMs = await takeover(now);
        now.leading.start();
        return tookMs;
      },
    },
  };

  test(`an address is given once and stays, whatever happens to the leader (HA_SEED=${seed})`, async (t) => {
    const draw = drawFrom(seed);
    const names = Object.keys(faults);
    const order = Array.from({ length: Math.ceil(rounds / names.length) }, () =>
      shuffled(names, draw),
    );
    const stop = new AbortController();
    const writing = keepWriting(api, draw, stop.signal);
    writing.catch(() => {});
    for (const name of order.flat().slice(0, rounds)) {
      const fault = faults[name];
      assert.ok(fault !== undefined);
      judge.forgetPending();
      const given = judge.assigned;
      const tookMs = await fault.play();
      // The successor gives addresses; only then the next.
      await until(`Services are served after: ${name}`, () => judge.assigned >= given + 20, {
        withinMs: 20_000,
      });
      const pendingMs = judge.longestPendingMs;
      t.diagnostic(
        `${name}: another led after ${tookMs.toFixed(0)} ms, nobody waited longer than ${pendingMs.toFixed(0)} ms`,
      );
      assert.deepEqual(judge.faults, [], name);
      assert.ok(tookMs <= fault.withinMs + graceMs, `${name}: taken over after ${tookMs} ms`);
      assert.ok(pendingMs <= fault.withinMs + 2 * graceMs, `${name}: waited for ${pendingMs} ms`);
      await clock.sleep(draw(500));
    }
    stop.abort();
    const writes = await writing;
    await until('nobody waits any more', () => judge.pending.length === 0);
    t.diagnostic(
      `HA_SEED=${seed}: ${writes} writes, ${judge.assigned} addresses given, ${judge.size} Services at the end`,
    );
    assert.deepEqual([judge.faults, judge.gaps], [[], 0]);
  });
});
