/** What becomes of the objects that dead holders leave. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { l2StatusName } from '../crds/l2-status.ts';
import { definitions, manifestOf } from '../crds/manifest.ts';
import { serviceL2StatusKind } from '../crds/names.ts';
import { silentLog } from '../daemon/log.ts';
import { FakeClock } from '../daemon/testing/fake-clock.ts';
import { until } from '../daemon/testing/until.ts';
import { pathOf } from '../kube/kinds.ts';
import { keyOf, type KubeObject, type Service } from '../kube/object.ts';
import { openTransport } from '../kube/transport.ts';
import { StaleStatuses } from '../operator/stale-statuses.ts';
import { Holdings } from '../speaker/holdings.ts';
import { L2Report } from '../speaker/l2-report.ts';
import { planOf } from '../speaker/testing/plan.ts';
import type { JsonObject } from './apiserver/json.ts';
import { openApiServer } from './apiserver/server.ts';

const namespace = 'metallb-system';
const { signal } = new AbortController();

/** An API server with a status for each of these Services, and what an operator looks at that knows some of them. */
async function open({ written, known }: { written: readonly string[]; known: readonly string[] }) {
  const api = await openApiServer({ namespaces: ['default', namespace] });
  // The manifests are JSON: they are what the API server's YAML is made of.
  for (const definition of definitions) api.create(manifestOf(definition) as unknown as JsonObject);
  const transport = openTransport({ server: await api.listen() });
  const report = new L2Report({ transport, namespace, node: 'node-1' });
  const holdings = new Holdings();
  holdings.adopt(planOf(Object.fromEntries(written.map((key, i) => [`198.51.100.${i}`, [key]]))));
  for (const [index, service] of written.entries()) {
    const address = `198.51.100.${index}`;
    const mac = '02:00:00:00:00:01';
    const fact = { kind: 'held', link: 'eth0', mac, address, term: 1, takeoverMs: 1 } as const;
    holdings.note({ ...fact, reason: 'Unclaimed' }, new Date(0));
    const knowledge = { service, planned: [address], held: holdings.of(service) };
    await report.write(knowledge, undefined, signal);
  }
  const clock = new FakeClock();
  const services = new Set(known);
  const stop = new AbortController();
  const stale = new StaleStatuses({
    transport,
    namespace,
    service: (key): Service | undefined => {
      const [of = '', name = ''] = key.split('/');
      return services.has(key) ? { metadata: { namespace: of, name } } : undefined;
    },
    clock,
    random: () => 0.5,
    log: silentLog,
    held: stop.signal,
  });
  const running = stale.run(stop.signal);
  return {
    clock,
    services,
    stale,
    left: async (): Promise<readonly string[]> => {
      const path = pathOf(serviceL2StatusKind, { namespace });
      const list = await transport.call<{ items: KubeObject[] }>({ method: 'GET', path });
      return list.items.map(keyOf).toSorted();
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      transport.close();
      await api.close();
    },
  };
}

const named = (name: string) => `${namespace}/${l2StatusName({ namespace: 'default', name })}`;

test('an operator that begins to act removes the status of a Service that is gone, and no other', async () => {
  await using place = await open({
    written: ['default/web', 'default/old'],
    known: ['default/web'],
  });
  place.stale.lookAtAll();
  await until('it has looked', () => place.clock.sleeping > 0);
  await place.clock.advance(9_000);
  assert.equal((await place.left()).length, 2);
  await place.clock.advance(1_000);
  await until('the status is gone', async () => (await place.left()).length === 1);
  assert.deepEqual(await place.left(), [named('web')]);
});

test('the status of a Service that goes is removed where nobody else does it', async () => {
  await using place = await open({ written: ['default/web', 'default/dns'], known: [] });
  place.stale.gone('default/web');
  await place.clock.advance(10_000);
  await until('the status is gone', async () => (await place.left()).length === 1);
  assert.deepEqual(await place.left(), [named('dns')]);
});

test('a Service that has come back keeps its status', async () => {
  await using place = await open({ written: ['default/web', 'default/dns'], known: [] });
  place.stale.gone('default/web');
  place.stale.gone('default/dns');
  place.services.add('default/web');
  await place.clock.advance(10_000);
  await until('the other is gone', async () => (await place.left()).length === 1);
  assert.deepEqual(await place.left(), [named('web')]);
});
