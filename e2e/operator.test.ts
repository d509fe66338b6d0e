import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { definitions, manifestOf } from '../crds/manifest.ts';
import { systemClock } from '../daemon/clock.ts';
import { silentLog } from '../daemon/log.ts';
import { until } from '../daemon/testing/until.ts';
import { EventRecorder } from '../kube/events.ts';
import { kinds } from '../kube/kinds.ts';
import type { Event, Service } from '../kube/object.ts';
import { openTransport, type Transport } from '../kube/transport.ts';
import { mergePatch } from '../kube/write.ts';
import type { Judged } from '../operator/pool-status.ts';
import { operate, type OperatorOptions } from '../operator/operate.ts';
import type { JsonObject } from './apiserver/json.ts';
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

  start(extra: Partial<OperatorOptions> = {}): Operator {
    const operator = new Operator(this.url, { identity: `op-${this.#operators.length}`, ...extra });
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

/** One operator process, as far as it matters here. */
class Operator {
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;
  readonly #close: () => void;

  constructor(url: string, extra: Partial<OperatorOptions> & { identity: string }) {
    const transport = openTransport({ server: url });
    const { clock = systemClock, log = silentLog } = extra;
    const reporter = { component: 'mercurylb-operator', instance: extra.identity };
    const events = new EventRecorder({ transport, clock, log, ...reporter });
    const tally = { assigned() {}, refused() {}, pool() {}, poolGone() {}, reset() {} };
    this.#close = () => transport.close();
    this.#ended = operate(
      {
        transport,
        server: url,
        namespace,
        lbClass: undefined,
        restMs: 60_000,
        leaseSeconds: 3,
        events,
        tally,
        clock,
        log,
        random: () => 0.5,
        randomBytes: (count) => new Uint8Array(count),
        ...extra,
      },
      this.#stopping.signal,
    );
  }

  /** A clean end. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
    this.#close();
  }

  /** As kill -9 does: nothing more leaves the process. */
  async kill(): Promise<void> {
    this.#close();
    await this.stop();
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

  test('a restart changes no address and writes nothing', async () => {
    await using cluster = await Cluster.open();
    cluster.pool('lan', '198.51.100.1-198.51.100.9');
    cluster.advertiseAll();
    const first = cluster.start();
    for (const name of ['a', 'b', 'c']) cluster.service(name);
    for (const name of ['a', 'b', 'c']) await until(name, () => cluster.ips(name) !== '');
    cluster.remove('a');
    await until(
      'the counter follows',
      () => cluster.judged('IPAddressPool', 'lan').status?.assignedIPv4 === 2,
    );
    const before = ['b', 'c'].map((name) => cluster.ips(name));
    await first.stop();
    const writes = cluster.writes();
    cluster.start();
    cluster.service('d');
    await until('the new one works', () => cluster.ips('d') !== '');
    assert.deepEqual(
      ['b', 'c'].map((name) => cluster.ips(name)),
      before,
    );
    assert.equal(cluster.writes(), writes + 1);
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

  test('a deleted pool takes nothing away until another pool can replace it', async () => {
    await using cluster = await Cluster.open();
    cluster.pool('lan', '198.51.100.1-198.51.100.9');
    cluster.advertiseAll();
    cluster.start();
    cluster.service('web');
    await cluster.gets('web', '198.51.100.1');
    cluster.api.remove('metallb.io/v1beta1', 'IPAddressPool', { namespace, name: 'lan' });
    await until('it is told', () => cluster.reason('web') === 'AddressOutsidePools');
    assert.equal(cluster.ips('web'), '198.51.100.1');
    cluster.pool('next', '203.0.113.7/32');
    await cluster.gets('web', '203.0.113.7');
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
