import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { silentLog } from '../../daemon/log.ts';
import { FakeClock } from '../../daemon/testing/fake-clock.ts';
import { Controller } from '../../operator/controller.ts';
import { hostileService, text } from '../../operator/testing/hostile.ts';
import type { JsonObject } from '../apiserver/json.ts';
import { isMishap } from './mishap.ts';
import { json, serviceOf } from './objects.ts';
import { Operator } from './operator.ts';
import { openServer } from './server.ts';

/** A cluster in which two Services share an address, a third has two, and the operator runs. */
class Town implements AsyncDisposable {
  readonly #clock = new FakeClock();
  readonly #api = openServer(this.#clock);
  readonly broken: string[] = [];
  readonly #operator = new Operator(Controller, {
    api: this.#api,
    onWrite: async (_call, go) => go(),
    clock: this.#clock,
    log: {
      ...silentLog,
      with: () => silentLog,
      warn: (message, { error } = {}) => {
        if (message === 'work failed' && !isMishap(error)) this.broken.push(String(error));
      },
    },
  });

  async begin(): Promise<void> {
    this.pool('mine', { addresses: ['198.51.100.1-198.51.100.9', '2001:db8::1-2001:db8::9'] });
    const sharing = { sharing: 'key' };
    const guards = { a: sharing, b: { ...sharing, port: 443 }, c: { policy: 'RequireDualStack' } };
    for (const [name, wish] of Object.entries(guards))
      this.#api.create(inNamespace('blue', serviceOf(name, wish as object)));
    await this.settle();
  }

  /** Stores an object as it is, as if the server had let it pass. */
  put(object: object): void {
    this.#api.put(json(object));
  }

  pool(name: string, spec: unknown): void {
    const metadata = { name, namespace: 'metallb-system' };
    this.put({ apiVersion: 'metallb.io/v1beta1', kind: 'IPAddressPool', metadata, spec });
  }

  remove(apiVersion: string, kind: string, namespace: string, name: string): void {
    if (this.#api.get(apiVersion, kind, { namespace, name }) !== undefined)
      this.#api.remove(apiVersion, kind, { namespace, name });
  }

  /** Everything there is of the Services that nobody touches. */
  guards(): string {
    const all = this.#api.list('v1', 'Service', 'blue');
    return JSON.stringify(
      all.map(({ metadata, status }) => [metadata.name, metadata.resourceVersion, status]),
    );
  }

  /** Whether a Service that comes now gets an address of the pool that is as it should be. */
  async serves(): Promise<boolean> {
    const wish = { pin: '198.51.100.9', pool: 'mine' };
    this.#api.create(inNamespace('blue', serviceOf('probe', wish)));
    await this.settle();
    const probe = this.#api.get('v1', 'Service', { namespace: 'blue', name: 'probe' });
    this.remove('v1', 'Service', 'blue', 'probe');
    await this.settle();
    return JSON.stringify(probe?.['status']).includes('"198.51.100.9"');
  }

  async settle(): Promise<void> {
    await this.#clock.settle();
    await this.#operator.check();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#operator.kill();
    await this.#clock.settle();
    await this.#api.close();
  }
}

const inNamespace = (namespace: string, object: object): JsonObject => {
  const { metadata, ...rest } = json(object);
  return { ...rest, metadata: { ...(metadata as JsonObject), namespace } };
};

/** Any JSON, with the fields of a pool among it. */
const fields = [
  'addresses',
  'autoAssign',
  'avoidBuggyIPs',
  'exclude',
  'reclaim',
  'reservations',
  'namespace',
  'service',
  'pinning',
  'serviceAllocation',
  'priority',
  'namespaces',
  'namespaceSelectors',
  'serviceSelectors',
  'maxPerNamespace',
  'matchLabels',
  'matchExpressions',
  'key',
  'operator',
  'values',
];
const { any } = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.constantFrom(null, true, false, 0, -1, 1.5, 2 ** 53, '203.0.113.0/24', '198.51.100.0/24'),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...fields), tie('any'), { maxKeys: 6 }),
  ),
}));
const spec = fc.oneof(any, fc.dictionary(fc.constantFrom(...fields), any, { maxKeys: 8 }));

test('whatever stands in Services, pools and namespaces, the operator lives on and all others stay as they are', async () => {
  await using town = new Town();
  await town.begin();
  const before = town.guards();
  assert.match(before, /198\.51\.100\.1.*198\.51\.100\.1.*2001:db8::1/);
  const labels = fc.dictionary(text, text, { maxKeys: 3 });
  const odd = fc.record({ service: hostileService('odd', 'red'), spec, labels });
  await fc.assert(
    fc.asyncProperty(odd, async ({ service, spec: written, labels: noted }) => {
      // Its uid would make it the same again and again.
      const { uid: _uid, ...metadata } = service.metadata;
      town.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'red', labels: noted } });
      town.pool('odd', written);
      town.put({ ...service, metadata });
      await town.settle();
      assert.equal(town.guards(), before);
      assert.ok(await town.serves(), 'who comes now is served');
      town.remove('v1', 'Service', 'red', 'odd');
      town.remove('metallb.io/v1beta1', 'IPAddressPool', 'metallb-system', 'odd');
      await town.settle();
      assert.equal(town.guards(), before);
      assert.deepEqual(town.broken, []);
    }),
    { numRuns: 60, seed: 4 },
  );
});
