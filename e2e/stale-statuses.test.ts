/** What becomes of the objects that dead holders leave. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { l2StatusName } from '../crds/l2-status.ts';
import { definitions, manifestOf } from '../crds/manifest.ts';
import { serviceL2StatusKind } from '../crds/names.ts';
import { silentLog } from '../daemon/log.ts';
import { FakeClock } from '../daemon/testing/fake-clock.ts';
import { until } from '../daemon/testing/until.ts';
import { kinds, pathOf } from '../kube/kinds.ts';
import { keyOf, type KubeObject } from '../kube/object.ts';
import { openTransport } from '../kube/transport.ts';
import { create, mergePatch } from '../kube/write.ts';
import { Controller } from '../operator/controller.ts';
import { StaleStatuses } from '../operator/stale-statuses.ts';
import { L2Report } from '../speaker/l2-report.ts';
import { heldHere } from '../speaker/testing/held.ts';
import type { JsonObject } from './apiserver/json.ts';
import { openApiServer } from './apiserver/server.ts';
import { Operator } from './laws/operator.ts';

const namespace = 'metallb-system';
const { signal } = new AbortController();

/** An API server with a status for each of these Services, and what an operator looks at to which some are announced. */
async function open({
  written,
  announced = [],
}: {
  written: readonly string[];
  announced?: readonly string[];
}) {
  const api = await openApiServer({ namespaces: ['default', namespace] });
  // The manifests are JSON: they are what the API server's YAML is made of.
  for (const definition of definitions) api.create(manifestOf(definition) as unknown as JsonObject);
  const transport = openTransport({ server: await api.listen() });
  const report = new L2Report({ transport, namespace, node: 'node-1' });
  for (const [index, service] of written.entries()) {
    const address = `198.51.100.${index}`;
    const knowledge = { service, planned: [address], held: [heldHere({ address })] };
    await report.write(knowledge, undefined, signal);
  }
  const clock = new FakeClock();
  const services = new Set(announced);
  const stop = new AbortController();
  const stale = new StaleStatuses({
    transport,
    namespace,
    isAnnounced: (key) => services.has(key),
    clock,
    random: () => 0.5,
    log: silentLog,
    held: stop.signal,
  });
  const running = stale.run(stop.signal);
  return {
    api,
    transport,
    clock,
    stale,
    announce: (key: string) => {
      services.add(key);
      stale.look(key);
    },
    withdraw: (key: string) => {
      services.delete(key);
      stale.look(key);
    },
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
    announced: ['default/web'],
  });
  place.stale.lookAtAll();
  await until('it has looked', () => place.clock.sleeping > 0);
  await place.clock.advance(9_000);
  assert.equal((await place.left()).length, 2);
  await place.clock.advance(1_000);
  await until('the status is gone', async () => (await place.left()).length === 1);
  assert.deepEqual(await place.left(), [named('web')]);
});

test('the status of a Service that is announced no more is removed where nobody else does it', async () => {
  await using place = await open({ written: ['default/web', 'default/dns'] });
  place.announce('default/web');
  place.withdraw('default/web');
  await place.clock.advance(10_000);
  await until('the status is gone', async () => (await place.left()).length === 1);
  assert.deepEqual(await place.left(), [named('dns')]);
});

test('a Service that has come back keeps its status', async () => {
  await using place = await open({ written: ['default/web', 'default/dns'] });
  for (const key of ['default/web', 'default/dns']) {
    place.announce(key);
    place.withdraw(key);
  }
  place.announce('default/web');
  await place.clock.advance(10_000);
  await until('the other is gone', async () => (await place.left()).length === 1);
  assert.deepEqual(await place.left(), [named('web')]);
});

test('a Service that never was announced is asked about by nobody', async () => {
  await using place = await open({ written: ['default/web'] });
  place.stale.look('default/web');
  await place.clock.settle();
  assert.equal(place.clock.sleeping, 0);
});

test('an operator removes what is written of a Service that becomes one of another type', async () => {
  await using place = await open({ written: ['default/web', 'default/dns'] });
  const { api, clock, transport } = place;
  for (const [index, name] of ['web', 'dns'].entries()) {
    const status = { loadBalancer: { ingress: [{ ip: `198.51.100.${index}` }] } };
    const target = { kind: kinds.service, namespace: 'default', name } as const;
    const spec = { type: 'LoadBalancer', ports: [{ port: 80 }] };
    await create(transport, kinds.service, { metadata: { name, namespace: 'default' }, spec });
    await mergePatch(transport, { ...target, subresource: 'status' }, { status });
  }
  let adopted = false;
  const info = (message: string) => (adopted ||= message === 'adopted');
  const log = { ...silentLog, info, with: () => log };
  const onWrite = <T>(_call: unknown, go: () => T) => Promise.resolve(go());
  const operator = new Operator(Controller, { api, onWrite, clock, log });
  try {
    await until('it has begun', () => adopted);
    await clock.advance(20_000);
    assert.equal((await place.left()).length, 2);
    const web = { kind: kinds.service, namespace: 'default', name: 'web' } as const;
    await mergePatch(transport, web, { spec: { type: 'ClusterIP' } });
    await until('the status is gone', async () => {
      await clock.advance(1_000);
      return (await place.left()).length < 2;
    });
    assert.deepEqual(await place.left(), [named('dns')]);
  } finally {
    operator.kill();
  }
});
