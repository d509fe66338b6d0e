/**
 * Proves that nothing moves, nothing leaks and everything resumes, whatever happens to the API server or on the way to
 * it. An operator runs as in a Pod, behind a relay with weather; a follower in this process copies the Services as a
 * speaker does. CHAOS_SECONDS=n lets connections flap for longer, CHAOS_SEED=n draws the same weather again.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { env } from 'node:process';
import { after, before, suite, test, type TestContext } from 'node:test';
import { systemClock as clock } from '../../daemon/clock.ts';
import { silentLog } from '../../daemon/log.ts';
import { until } from '../../daemon/testing/until.ts';
import { kinds, pathOf } from '../../kube/kinds.ts';
import type { Service } from '../../kube/object.ts';
import { Reflector } from '../../kube/reflector.ts';
import { ApiError, openTransport, type Transport } from '../../kube/transport.ts';
import { mergePatch, remove } from '../../kube/write.ts';
import { clockShift } from '../faults/clock-shift-flags.ts';
import { drawFrom, type Draw } from '../faults/draw.ts';
import { FaultyRelay } from '../faults/relay.ts';
import { ServiceAccountMount } from '../faults/service-account-mount.ts';
import type { Weather } from '../faults/weather.ts';
import type { Running } from '../lab/host.ts';
import { needsLab } from '../lab/requirements.ts';
import { makeAuthority } from './authority.ts';
import { type ControlPlane, openControlPlane } from './control-plane.ts';
import { apiServerPort } from './flags.ts';
import { openFolder } from './folder.ts';
import { createService, keepWriting, prepare } from './load.ts';
import { leaderOf, operatorInPod } from './operators.ts';
import { Loopback } from './place.ts';
import { needsPrograms } from './programs.ts';
import { choke, ServiceAccount } from './service-account.ts';
import { ServiceJudge } from './service-judge.ts';

const seed = Number(env['CHAOS_SEED'] ?? randomInt(2 ** 31));
const flapSeconds = Number(env['CHAOS_SECONDS'] ?? 20);
const leaseSeconds = 3;
const baseServices = 30;
/** A row of failures is waited out ever longer, for up to half a minute each (`kube/backoff.ts`). */
const resumedWithinMs = 45_000;

/** A watch that lasts for five seconds ends the row: so that each fault is met in health. */
const healthyMs = 5_500;
/** A connection that nobody uses is kept for 45 s (`kube/transport.ts`). */
const keptConnections = { withinMs: 60_000, everyMs: 100 };

const programs = await needsPrograms('etcd', 'kube-apiserver', 'kubectl');
/** The mount of a service account is made as root. */
const needs = programs.skip === false ? needsLab : programs;

suite('whatever happens to the API server', needs, () => {
  const open = new AsyncDisposableStack();
  const account = { namespace: 'default', name: 'operator' };
  const draw = drawFrom(seed);
  let plane: ControlPlane;
  let place: Loopback;
  let api: Transport;
  let judge: ServiceJudge;
  let relay: FaultyRelay;
  let mount: ServiceAccountMount;
  let tokens: ServiceAccount;
  let issued: Awaited<ReturnType<ServiceAccount['issue']>>;
  let operator: Running;
  let follower: Follower;
  let warm: Footprint | undefined;
  let created = 0;

  before(async () => {
    plane = open.use(await openControlPlane({ controllers: false }));
    const folder = open.use(openFolder()).path;
    place = new Loopback(folder);
    const host = place.address;
    // Whatever the server shows, the plane's own file has the authority of it.
    const caFile = ownCaFile(plane);
    const { ca = '', ...admin } = plane.admin;
    api = openTransport({ ...admin, caFile });
    open.defer(() => api.close());
    await prepare(api);
    judge = open.use(await ServiceJudge.open(plane.admin, () => readFileSync(caFile, 'utf8')));
    tokens = await ServiceAccount.create(api, account);
    issued = await tokens.issue();
    mount = new ServiceAccountMount(join(folder, 'mount'), { token: issued.token, ca });
    relay = open.use(await FaultyRelay.open({ host, target: { host, port: apiServerPort } }));
    const settings = { name: 'operator', leaseSeconds };
    operator = place.install(operatorInPod(mount.path, { host, port: relay.port }, settings));
    open.defer(async () => void (await operator.stop()));
    follower = open.use(new Follower(`https://${host}:${relay.port}`, mount.path, drawFrom(seed)));
    for (let index = 0; index < baseServices; index++) await createService(api, `base-${index}`);
    await until('all have addresses', () => judge.assigned === baseServices, { withinMs: 30_000 });
  });
  after(() => open.disposeAsync());

  const footprint = (): Footprint => footprintOf(operator.pid);

  /** Nothing has moved, and what is new is served; answers after how long. */
  async function resumes(t: TestContext, what: string): Promise<void> {
    const name = `after-${created++}`;
    const fromMs = clock.nowMs();
    await createService(api, name);
    const served = () => judge.addressOf(`default/${name}`) !== '';
    await until(`a Service is served after ${what}`, served, { withinMs: resumedWithinMs });
    const servedMs = clock.nowMs() - fromMs;
    const knows = async () => (await stateOf(api)) === follower.state;
    await until(`the follower knows all after ${what}`, knows, {
      withinMs: resumedWithinMs,
      everyMs: 50,
    });
    const { rssMb, files } = footprint();
    t.diagnostic(
      `${what}: served after ${servedMs.toFixed(0)} ms, all known after ${(clock.nowMs() - fromMs).toFixed(0)} ms; ${rssMb} MB, ${files} files`,
    );
    assert.deepEqual(judge.faults, [], what);
    warm ??= footprint();
    await clock.sleep(healthyMs);
  }

  async function restartApiServer(): Promise<void> {
    plane.running('kube-apiserver').signal('SIGKILL');
    await plane.running('kube-apiserver').exited;
    plane.start('kube-apiserver');
    await plane.ready();
    // Where its authority is another one, the first call only finds that out.
    await until('we are served', async () => (await list(api)).items.length > 0);
  }

  /** The code with which the server answers this token. */
  async function codeFor(token: string): Promise<number> {
    const headers = async () => ({ authorization: `Bearer ${token}` });
    const asking = openTransport({ server: plane.server, caFile: ownCaFile(plane), headers });
    try {
      await asking.call({ method: 'GET', path: pathOf(kinds.service) });
      return 200;
    } catch (error) {
      if (error instanceof ApiError) return error.code;
      throw error;
    } finally {
      asking.close();
    }
  }

  test('an API server that is killed comes back, again and again', async (t) => {
    for (let round = 1; round <= 3; round++) {
      await restartApiServer();
      await resumes(t, `kill -9 of the API server, round ${round}`);
    }
  });

  test('a store that does not answer, or is killed, is waited for', async (t) => {
    plane.running('etcd').signal('SIGSTOP');
    await clock.sleep(6_000);
    plane.running('etcd').signal('SIGCONT');
    await resumes(t, 'six seconds without a store');
    plane.running('etcd').signal('SIGKILL');
    await plane.running('etcd').exited;
    await clock.sleep(1_000);
    plane.start('etcd');
    await plane.ready();
    await resumes(t, 'kill -9 of the store');
  });

  test('a history that is gone is made up for by a new list', async (t) => {
    const { lists } = follower;
    relay.change({ kind: 'held' });
    await remove(api, kinds.service, { metadata: { namespace: 'default', name: 'base-0' } });
    for (let index = 1; index < baseServices; index++) {
      const target = { kind: kinds.service, namespace: 'default', name: `base-${index}` };
      await mergePatch(api, target, { metadata: { labels: { edited: 'unseen' } } });
    }
    const { metadata } = await list(api);
    const compaction = JSON.stringify({ revision: metadata.resourceVersion, physical: true });
    const store = `http://${place.address}:2379/v3/kv/compaction`;
    const answer = await fetch(store, { method: 'POST', body: compaction });
    assert.equal(answer.status, 200, await answer.text());
    // What an API server remembers by itself would answer for what its store has forgotten.
    await restartApiServer();
    relay.reset();
    relay.change({ kind: 'clear' });
    await resumes(t, 'a compaction under the watch');
    assert.ok(follower.lists > lists, 'the watch could not go on where it stood');
  });

  test('a token that is renewed in time, or too late, is read again', async (t) => {
    const first = issued;
    issued = await tokens.issue();
    mount.renew({ token: issued.token });
    await first.end();
    await until('the first token is refused', async () => (await codeFor(first.token)) === 401, {
      withinMs: 30_000,
      everyMs: 200,
    });
    relay.reset();
    await resumes(t, 'a renewed token');
    const second = issued;
    await second.end();
    await until('the second token is refused', async () => (await codeFor(second.token)) === 401, {
      withinMs: 30_000,
      everyMs: 200,
    });
    relay.reset();
    await clock.sleep(4_000);
    issued = await tokens.issue();
    mount.renew({ token: issued.token });
    await resumes(t, 'a token renewed too late');
  });

  test('a new authority is trusted as soon as the mount has it, and the old one no more', async (t) => {
    const first = plane.authority.cert;
    const [second, third] = ['second', 'third'].map((name) => makeAuthority(name, clock.wall()));
    assert.ok(second !== undefined && third !== undefined);
    mount.renew({ ca: first + second.cert });
    plane.certify(second);
    await restartApiServer();
    await resumes(t, 'a certificate of the second of two authorities');
    mount.renew({ ca: second.cert });
    relay.reset();
    await resumes(t, 'the old authority was removed');
    plane.certify(third);
    await restartApiServer();
    await clock.sleep(3_000);
    mount.renew({ ca: third.cert });
    await resumes(t, 'an authority that was mounted too late');
  });

  test('a server that answers 429 for a while is asked again', async (t) => {
    const release = await choke(api, account);
    relay.reset();
    // One request at a time is let through: a crowd sees to it that this is mostly somebody else's.
    const endMs = clock.nowMs() + 5_000;
    const crowd = Array.from({ length: 16 }, async () => {
      let refused = 0;
      for (; clock.nowMs() < endMs;) if ((await codeFor(issued.token)) === 429) refused++;
      return refused;
    });
    const refused = (await Promise.all(crowd)).reduce((sum, one) => sum + one, 0);
    await release();
    assert.ok(refused > 20, `only ${refused} were refused`);
    await resumes(t, `429 for five seconds, ${refused} times`);
  });

  test(`connections that flap for ${flapSeconds} s lose nothing (CHAOS_SEED=${seed})`, async (t) => {
    const stop = new AbortController();
    const writing = keepWriting(api, draw, stop.signal);
    writing.catch(() => {});
    const endMs = clock.nowMs() + flapSeconds * 1_000;
    let changes = 0;
    for (; clock.nowMs() < endMs; changes++) {
      relay.change(drawWeather(draw));
      if (draw(3) === 0) relay.reset();
      await clock.sleep(50 + draw(1_500));
    }
    relay.change({ kind: 'clear' });
    stop.abort();
    const writes = await writing;
    const done = () => judge.pending.length === 0;
    await until('nobody waits any more', done, { withinMs: resumedWithinMs });
    t.diagnostic(
      `${changes} changes of the weather, ${writes} writes, ${judge.assigned} addresses given`,
    );
    await resumes(t, `${flapSeconds} s of flapping`);
  });

  test('what it takes of memory and files is what it took after the first fault', async (t) => {
    assert.ok(warm !== undefined);
    const before = warm;
    const now = await until(
      'files are closed again',
      () => {
        const found = footprint();
        return found.files <= before.files + 8 && found;
      },
      keptConnections,
    );
    t.diagnostic(
      `resident ${before.rssMb} MB, then ${now.rssMb} MB; files ${before.files}, then ${now.files}`,
    );
    assert.ok(now.rssMb <= before.rssMb * 1.3 + 20, `${before.rssMb} MB grew to ${now.rssMb} MB`);
    await until('lines are forgotten', () => relay.connections <= 40);
  });

  test('a wall clock an hour off, before or behind, changes nothing', async (t) => {
    const host = place.address;
    const hourMs = 3_600_000;
    for (const shiftMs of [hourMs, -hourMs]) {
      const name = `operator-${shiftMs}`;
      const settings = { name, leaseSeconds, preload: clockShift(shiftMs) };
      const program = operatorInPod(mount.path, { host, port: relay.port }, settings);
      const other = place.install(program);
      try {
        const first = async () => (await leaderOf(api)).name === 'operator';
        await until('the first leads', first, { withinMs: 15_000 });
        const { transitions } = await leaderOf(api);
        await clock.sleep(leaseSeconds * 2_000);
        assert.equal((await leaderOf(api)).transitions, transitions, 'nobody takes what is held');
        operator.signal('SIGSTOP');
        const leads = async () => (await leaderOf(api)).name === name;
        await until('the other leads', leads, { withinMs: 15_000 });
        operator.signal('SIGCONT');
        await resumes(t, `an operator ${shiftMs / hourMs} h off led`);
        assert.equal((await leaderOf(api)).name, name);
      } finally {
        await other.stop();
      }
    }
  });
});

const ownCaFile = (plane: ControlPlane): string => join(plane.kubeconfig, '..', 'ca.crt');

type Footprint = { readonly rssMb: number; readonly files: number };

function footprintOf(pid: number): Footprint {
  const [, kb = '0'] =
    /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return { rssMb: Math.round(Number(kb) / 1_024), files: readdirSync(`/proc/${pid}/fd`).length };
}

function drawWeather(draw: Draw): Weather {
  const weathers: readonly Weather[] = [
    { kind: 'clear' },
    { kind: 'clear' },
    { kind: 'held' },
    { kind: 'slow', delayMs: 1 + draw(300) },
    { kind: 'torn', afterBytes: draw(20_000) },
    { kind: 'refused' },
  ];
  return weathers[draw(weathers.length)] ?? { kind: 'clear' };
}

type List = {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly Service[];
};

const list = (api: Transport): Promise<List> =>
  api.call<List>({ method: 'GET', path: pathOf(kinds.service) });

const stateOf = async (api: Transport): Promise<string> => describe((await list(api)).items);

const describe = (services: Iterable<Service>): string =>
  Array.from(
    services,
    ({ metadata }) => `${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`,
  )
    .toSorted()
    .join('\n');

/** Copies the Services over the relay, as a speaker does, and counts its lists. */
class Follower implements AsyncDisposable {
  lists = 0;
  readonly #stop = new AbortController();
  readonly #transport: Transport;
  readonly #reflector: Reflector<Service>;
  readonly #running: Promise<void>;

  constructor(server: string, mount: string, draw: Draw) {
    const access = { server, tokenFile: join(mount, 'token'), caFile: join(mount, 'ca.crt') };
    this.#transport = openTransport(access);
    this.#reflector = new Reflector<Service>({
      transport: this.#counting(),
      kind: kinds.service,
      log: silentLog,
      clock,
      random: () => draw(1_000) / 1_000,
    });
    this.#running = this.#reflector.run(this.#stop.signal);
  }

  get state(): string {
    return describe(this.#reflector.values());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#transport.close();
  }

  #counting(): Transport {
    const transport = this.#transport;
    return {
      call: (call, signal) => {
        this.lists++;
        return transport.call(call, signal);
      },
      lines: (call, idleMs, signal) => transport.lines(call, idleMs, signal),
      close: () => transport.close(),
    };
  }
}
