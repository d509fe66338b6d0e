import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { definitions, manifestOf } from '../crds/manifest.ts';
import { systemClock } from '../daemon/clock.ts';
import { until } from '../daemon/testing/until.ts';
import { kinds } from '../kube/kinds.ts';
import type { Event, Lease, Service } from '../kube/object.ts';
import { openTransport, type Transport } from '../kube/transport.ts';
import { mergePatch } from '../kube/write.ts';
import type { Judged } from '../operator/pool-status.ts';
import { leaseName } from '../operator/operate.ts';
import { Operator, type OperatorExtra } from './allocation/operator.ts';
import type { JsonObject } from './apiserver/json.ts';
import type { LoggedRequest } from './apiserver/request-log.ts';
import { type ApiServer, openApiServer } from './apiserver/server.ts';

const namespace = 'metallb-system';

/** A control plane in memory with our kinds, and operators that end with it. */
class Cluster implements AsyncDisposable {
  readonly api: ApiServer;
  readonly url: string;
  readonly #operators: Operator[] = [];
  readonly #kubectl: Transport;

  private constructor(api: ApiServer, url: string) {
    this.api = api;
    this.url = url;
    this.#kubectl = openTransport({ server: url });
  }

  static async open(): Promise<Cluster> {
    const api = await openApiServer({ namespaces: ['default', 'team-red', namespace] });
    for (const definition of definitions) api.create(json(manifestOf(definition)));
    return new Cluster(api, await api.listen());
  }

  holder(): string | undefined {
    const at = { namespace, name: leaseName };
    const lease = this.api.get('coordination.k8s.io/v1', 'Lease', at) as Lease | undefined;
    return lease?.spec?.holderIdentity;
  }

  start(extra: OperatorExtra = {}): Operator {
    const operator = new Operator(
      { server: this.url },
      { identity: `op-${this.#operators.length}`, ...extra },
    );
    this.#operators.push(operator);
    return operator;
  }

  pool(name: string, addresses: string | readonly string[], spec: JsonObject = {}): void {
    this.put('IPAddressPool', name, { addresses: [addresses].flat(), ...spec });
  }

  advertiseAll(): void {
    this.put('L2Advertisement', 'all', {});
  }

  put(kind: string, name: string, spec: JsonObject): void {
    const known = this.api.get('metallb.io/v1beta1', kind, { namespace, name });
    const metadata = known?.metadata ?? { name, namespace };
    const status = known === undefined ? {} : { status: known['status'] };
    const object = { apiVersion: 'metallb.io/v1beta1', kind, metadata, spec, ...status };
    if (known === undefined) this.api.create(json(object));
    else this.api.put(json(object));
  }

  service(name: string, extra: { annotations?: JsonObject; spec?: JsonObject } = {}): void {
    this.api.create(
      json({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, namespace: 'default', annotations: extra.annotations ?? {} },
        spec: {
          type: 'LoadBalancer',
          ports: [{ port: 80 }],
          selector: { app: name },
          ...extra.spec,
        },
      }),
    );
  }

  /** Edits a Service as `kubectl patch` does. */
  async edit(name: string, change: { annotations?: JsonObject; spec?: JsonObject }): Promise<void> {
    const target = { kind: kinds.service, namespace: 'default', name };
    const { annotations = {}, spec = {} } = change;
    await mergePatch(this.#kubectl, target, { metadata: { annotations }, spec });
  }

  remove(name: string): void {
    this.api.remove('v1', 'Service', { namespace: 'default', name });
  }

  read(name: string): Service {
    const service = this.api.get('v1', 'Service', { namespace: 'default', name });
    assert.ok(service, `the Service ${name} is there`);
    return service as unknown as Service;
  }

  /** The addresses in a Service's status. */
  ips(name: string): string {
    const ingress = this.read(name).status?.loadBalancer?.ingress ?? [];
    return ingress.map(({ ip }) => ip).join(' ');
  }

  reason(name: string): string | undefined {
    return this.read(name).status?.conditions?.find(({ type }) => type.startsWith('metallb.io/'))
      ?.reason;
  }

  events(name: string): readonly Event[] {
    const all = this.api.list('v1', 'Event') as unknown as readonly Event[];
    return all.filter(({ involvedObject }) => involvedObject.name === name);
  }

  judged(kind: string, name: string): Judged {
    return this.api.get('metallb.io/v1beta1', kind, { namespace, name }) as unknown as Judged;
  }

  writes(): number {
    const { requests } = this.api;
    return requests
      .matching({ resource: 'services' })
      .filter(({ changed }) => changed !== undefined).length;
  }

  /** How many addresses of a pool are said to be assigned. */
  counted(pool: string): number | undefined {
    return this.judged('IPAddressPool', pool).status?.assignedIPv4;
  }

  poolWrites(): readonly LoggedRequest[] {
    const resource = 'ipaddresspools.metallb.io';
    return this.api.requests.matching({ resource, verb: 'patch' });
  }

  async gets(name: string, ips: string): Promise<void> {
    await until(`${name} has ${ips || 'no address'}`, () => this.ips(name) === ips, {
      withinMs: 20_000,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#operators.map((operator) => operator.stop()));
    this.#kubectl.close();
    await this.api.close();
  }
}

const json = (object: object): JsonObject => JSON.parse(JSON.stringify(object)) as JsonObject;

describe('the operator', () => {
  test('assigns automatically and by every way of asking', async () => {
    await using cluster = await Cluster.open();
    cluster.pool('lan', ['198.51.100.1-198.51.100.9']);
    cluster.pool('asked', '203.0.113.0/28', { autoAssign: false });
    cluster.advertiseAll();
    cluster.start();
    cluster.service('any');
    cluster.service('new', { annotations: { 'metallb.io/loadBalancerIPs': '198.51.100.5' } });
    cluster.service('old', {
      annotations: { 'metallb.universe.tf/loadBalancerIPs': '198.51.100.6' },
    });
    cluster.service('field', { spec: { loadBalancerIP: '198.51.100.7' } });
    cluster.service('pool', { annotations: { 'metallb.io/address-pool': 'asked' } });
    await cluster.gets('any', '198.51.100.1');
    await cluster.gets('new', '198.51.100.5');
    await cluster.gets('old', '198.51.100.6');
    await cluster.gets('field', '198.51.100.7');
    await cluster.gets('pool', '203.0.113.0');
    const annotations = cluster.read('pool').metadata.annotations;
    assert.equal(annotations?.['metallb.io/ip-allocated-from-pool'], 'asked');
    const [event] = await until('the event is there', () => {
      const events = cluster.events('any');
      return events.length > 0 && events;
    });
    assert.equal(event?.reason, 'IPAllocated');
    assert.equal(event?.message, '198.51.100.1 from pool lan');
  });

  test('tells who cannot be served why and what to do, and changes nothing else', async () => {
    await using cluster = await Cluster.open();
    cluster.pool('lan', '198.51.100.1-198.51.100.2');
    cluster.advertiseAll();
    cluster.start();
    cluster.service('first');
    await cluster.gets('first', '198.51.100.1');
    const before = cluster.read('first').metadata.resourceVersion;
    cluster.service('second', { annotations: { 'metallb.io/loadBalancerIPs': '198.51.100.1' } });
    cluster.service('typo', { annotations: { 'metallb.io/loadBalancerIPs': '198.51.100.300' } });
    await until('second is refused', () => cluster.reason('second') === 'AddressTaken');
    await until('typo is refused', () => cluster.reason('typo') === 'AddressUnreadable');
    const [event] = await until('the event is there', () => {
      const events = cluster.events('second');
      return events.length > 0 && events;
    });
    assert.equal(event?.type, 'Warning');
    assert.equal(event?.reason, 'AddressTaken');
    assert.match(event?.message ?? '', /held by default\/first.*Ask for another address/);
    assert.equal(cluster.ips('second'), '');
    assert.equal(cluster.read('first').metadata.resourceVersion, before);
  });

  test('a typo in an annotation is no outage', async () => {
    await using cluster = await Cluster.open();
    cluster.pool('lan', '198.51.100.1-198.51.100.9');
    cluster.advertiseAll();
    cluster.start();
    cluster.service('web');
    await cluster.gets('web', '198.51.100.1');
    await cluster.edit('web', { annotations: { 'metallb.io/address-pool': 'lna' } });
    await until('it is told', () => cluster.reason('web') === 'PoolUnknown');
    assert.equal(cluster.ips('web'), '198.51.100.1');
    await cluster.edit('web', { annotations: { 'metallb.io/address-pool': 'lan' } });
    await until('all is well', () => cluster.reason('web') === 'IPAllocated');
    assert.equal(cluster.ips('web'), '198.51.100.1');
  });

  test('an address that becomes free goes at once to the one who has waited longest', async () => {
    await using cluster = await Cluster.open();
    cluster.pool('lan', '198.51.100.1-198.51.100.2');
    cluster.advertiseAll();
    cluster.start();
    for (const name of ['a', 'b']) cluster.service(name);
    await cluster.gets('b', '198.51.100.2');
    for (const name of ['c', 'd']) {
      cluster.service(name);
      await until(`${name} waits`, () => cluster.reason(name) === 'PoolExhausted');
    }
    cluster.remove('a');
    await cluster.gets('c', '198.51.100.1');
    assert.equal(cluster.ips('d'), '');
    await cluster.edit('b', { spec: { type: 'ClusterIP' } });
    await cluster.gets('d', '198.51.100.2');
    await cluster.gets('b', '');
    cluster.service('e');
    await until('e waits', () => cluster.reason('e') === 'PoolExhausted');
    cluster.pool('lan', '198.51.100.1-198.51.100.3');
    await cluster.gets('e', '198.51.100.3');
  });

  test('the numbers of a pool follow a burst of assignments in a few writes', async () => {
    await using cluster = await Cluster.open();
    cluster.pool('lan', '198.51.100.0/24');
    cluster.advertiseAll();
    cluster.start();
    const startMs = performance.now();
    for (let index = 0; index < 200; index++) cluster.service(`s${index}`);
    await until('all are counted', () => cluster.counted('lan') === 200, { withinMs: 20_000 });
    const writes = cluster.poolWrites();
    // One at the start, and then at most two a second: 500 ms between them.
    const most = 3 + (performance.now() - startMs) / 500;
    assert.ok(writes.length <= most, `${writes.length} writes, at most ${most}`);
    const idle = writes.filter(({ changed }) => changed !== true);
    assert.deepEqual(idle, [], 'each of them changes something');
  });

  test('a status of a pool that somebody edits by hand is put right again', async () => {
    await using cluster = await Cluster.open();
    cluster.pool('lan', '198.51.100.1-198.51.100.9');
    cluster.advertiseAll();
    cluster.start();
    cluster.service('a');
    await until('it is counted', () => cluster.counted('lan') === 1);
    const edited = cluster.judged('IPAddressPool', 'lan');
    cluster.api.put(json({ ...edited, status: { ...edited.status, assignedIPv4: 7 } }));
    await until('it is right again', () => cluster.counted('lan') === 1);
  });

  test('a restart changes no address and writes nothing', async () => {
    await using cluster = await Cluster.open();
    cluster.pool('lan', '198.51.100.1-198.51.100.9');
    cluster.advertiseAll();
    const first = cluster.start();
    for (const name of ['a', 'b', 'c']) cluster.service(name);
    for (const name of ['a', 'b', 'c']) await until(name, () => cluster.ips(name) !== '');
    cluster.remove('a');
    await until('the counter follows', () => cluster.counted('lan') === 2);
    const before = ['b', 'c'].map((name) => cluster.ips(name));
    await first.stop();
    const [writes, poolWrites] = [cluster.writes(), cluster.poolWrites().length];
    cluster.start();
    cluster.service('d');
    await until('the new one works', () => cluster.ips('d') !== '');
    assert.deepEqual(
      ['b', 'c'].map((name) => cluster.ips(name)),
      before,
    );
    assert.equal(cluster.writes(), writes + 1);
    await until('the counter follows', () => cluster.counted('lan') === 3);
    assert.equal(cluster.poolWrites().length, poolWrites + 1);
  });

  test('two operators never give an address twice, even when one is killed at work', async () => {
    await using cluster = await Cluster.open();
    cluster.pool('lan', '198.51.100.0/27');
    cluster.advertiseAll();
    const [one] = [cluster.start(), cluster.start()];
    const names = Array.from({ length: 30 }, (_, index) => `s${index}`);
    for (const name of names.slice(0, 15)) cluster.service(name);
    await until('the work has begun', () =>
      names.slice(0, 15).some((name) => cluster.ips(name) !== ''),
    );
    await one?.kill();
    for (const name of names.slice(15)) cluster.service(name);
    const held = await until(
      'all are served',
      () => {
        const ips = names.map((name) => cluster.ips(name));
        return ips.every((ip) => ip !== '') && ips;
      },
      { withinMs: 20_000 },
    );
    assert.equal(new Set(held).size, names.length);
  });

  test('a leader frozen between deciding and writing writes nothing when it goes on', async () => {
    await using cluster = await Cluster.open();
    cluster.pool('lan', '198.51.100.1-198.51.100.9');
    cluster.advertiseAll();
    let frozenMs = 0;
    const outcomes: unknown[] = [];
    const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + frozenMs };
    cluster.start({
      clock,
      onWrite: async (go) => {
        // As SIGSTOP and SIGCONT: time has passed, and no timer had its turn.
        if (outcomes.length === 0) frozenMs = 60_000;
        const [outcome] = await Promise.allSettled([go()]);
        outcomes.push(outcome.status);
        if (outcome.status === 'rejected') throw outcome.reason;
        return outcome.value;
      },
    });
    cluster.service('a');
    await until('a second term has written', () => outcomes.length === 2);
    assert.equal(cluster.ips('a'), '198.51.100.1');
    assert.deepEqual(outcomes, ['rejected', 'fulfilled'], 'what is written is of the second term');
    assert.equal(cluster.writes(), 1);
  });

  test('who is stopped ends the writes under way, and only then gives the lease back', async () => {
    await using cluster = await Cluster.open();
    cluster.pool('lan', '198.51.100.1-198.51.100.9');
    cluster.advertiseAll();
    const written = Promise.withResolvers<AbortSignal | undefined>();
    const answer = Promise.withResolvers<void>();
    const operator = cluster.start({
      onWrite: async (go, signal) => {
        written.resolve(signal);
        await answer.promise;
        return await go();
      },
    });
    cluster.service('a');
    const signal = await written.promise;
    const stopped = operator.stop();
    const meanwhile = [signal?.aborted, cluster.holder()];
    answer.resolve();
    await stopped;
    assert.deepEqual(meanwhile, [false, 'op-0']);
    assert.deepEqual([cluster.ips('a'), cluster.holder()], ['198.51.100.1', '']);
  });

  test('goes on by itself after resets, errors, an expired version and an absence', async () => {
    await using cluster = await Cluster.open();
    cluster.pool('lan', '198.51.100.1-198.51.100.9');
    cluster.advertiseAll();
    cluster.start();
    cluster.service('a');
    await cluster.gets('a', '198.51.100.1');
    cluster.api.resetConnections();
    cluster.service('b');
    await cluster.gets('b', '198.51.100.2');
    cluster.api.faults.answer({ code: 500, times: 3, match: { resource: 'services' } });
    cluster.service('c');
    await cluster.gets('c', '198.51.100.3');
    cluster.api.compact();
    cluster.api.resetConnections();
    cluster.service('d');
    await cluster.gets('d', '198.51.100.4');
    await cluster.api.goAway();
    cluster.remove('b');
    cluster.service('e');
    await cluster.api.comeBack();
    await until('e is served', () => cluster.ips('e') !== '', { withinMs: 20_000 });
    assert.deepEqual(
      ['a', 'c', 'd'].map((name) => cluster.ips(name)),
      ['198.51.100.1', '198.51.100.3', '198.51.100.4'],
    );
  });

  test('begins as soon as it can where nothing but its lease can be had at first', async () => {
    await using cluster = await Cluster.open();
    cluster.pool('lan', '198.51.100.1-198.51.100.9');
    for (const resource of ['', 'services', 'nodes'])
      cluster.api.faults.answer({ code: 500, times: 3, match: { resource } });
    cluster.start();
    cluster.service('a');
    await cluster.gets('a', '198.51.100.1');
  });

  test('a faulty or overlapping pool carries a condition, and nobody loses an address', async () => {
    await using cluster = await Cluster.open();
    cluster.pool('lan', '198.51.100.1-198.51.100.9');
    cluster.advertiseAll();
    cluster.start();
    cluster.service('web');
    await cluster.gets('web', '198.51.100.1');
    const problem = (name: string) =>
      cluster
        .judged('IPAddressPool', name)
        .status?.conditions?.find(({ status }) => status === 'False')?.reason;
    cluster.pool('wide', '198.51.100.0/24');
    await until('the younger is told', () => problem('wide') === 'OverlappingPools');
    cluster.put('IPAddressPool', 'lan', { addresses: ['198.51.100.9-198.51.100.1'] });
    await until('the faulty one is told', () => problem('lan') === 'InvalidAddresses');
    assert.equal(cluster.ips('web'), '198.51.100.1');
    cluster.pool('lan', '198.51.100.1-198.51.100.9');
    await until('all is well', () => problem('lan') === undefined);
    assert.equal(cluster.ips('web'), '198.51.100.1');
  });

  test('a deleted pool takes nothing away, until its addresses are reclaimed', async () => {
    await using cluster = await Cluster.open();
    cluster.pool('lan', '198.51.100.1-198.51.100.9');
    cluster.advertiseAll();
    cluster.start();
    cluster.service('web');
    await cluster.gets('web', '198.51.100.1');
    cluster.api.remove('metallb.io/v1beta1', 'IPAddressPool', { namespace, name: 'lan' });
    await until('it is told', () => cluster.reason('web') === 'AddressDraining');
    cluster.pool('next', '203.0.113.7/32');
    cluster.service('new');
    await until('there is nothing left', () => cluster.ips('new') === '203.0.113.7');
    assert.equal(cluster.ips('web'), '198.51.100.1');
    cluster.pool('next', ['203.0.113.7/32', '203.0.113.9/32'], { reclaim: ['198.51.100.0/24'] });
    await cluster.gets('web', '203.0.113.9');
    assert.equal(cluster.reason('web'), 'IPAllocated');
  });

  test('leaves Services of another class alone', async () => {
    await using cluster = await Cluster.open();
    cluster.pool('lan', '198.51.100.1-198.51.100.9');
    cluster.advertiseAll();
    cluster.start({ lbClass: 'example.com/ours' });
    cluster.service('theirs', { spec: { loadBalancerClass: 'example.com/theirs' } });
    cluster.service('ours', { spec: { loadBalancerClass: 'example.com/ours' } });
    await cluster.gets('ours', '198.51.100.1');
    assert.equal(cluster.read('theirs').status?.conditions, undefined);
    await cluster.edit('ours', { spec: { type: 'ClusterIP', loadBalancerClass: null } });
    await cluster.gets('ours', '');
    cluster.service('next', { spec: { loadBalancerClass: 'example.com/ours' } });
    await until('next is served', () => cluster.ips('next') !== '');
  });
});
