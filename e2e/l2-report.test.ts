/** What the speakers write about holders, as an API server keeps it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type L2Status, parseL2Status } from '../crds/l2-status.ts';
import { definitions, manifestOf } from '../crds/manifest.ts';
import { serviceL2StatusKind } from '../crds/names.ts';
import { pathOf } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { openTransport } from '../kube/transport.ts';
import { beats } from '../speaker/core/rank.ts';
import { type Holding, L2Report } from '../speaker/l2-report.ts';
import type { JsonObject } from './apiserver/json.ts';
import { openApiServer } from './apiserver/server.ts';

const namespace = 'metallb-system';
const service = 'default/web';
const { signal } = new AbortController();

/** An API server with our kinds, a reporter for each node, and what stands written. */
async function open() {
  const api = await openApiServer({ namespaces: ['default', namespace] });
  // The manifests are JSON: they are what the API server's YAML is made of.
  for (const definition of definitions) api.create(manifestOf(definition) as unknown as JsonObject);
  const transport = openTransport({ server: await api.listen() });
  return {
    reporter: (node: string) => new L2Report({ transport, namespace, node }),
    written: async (): Promise<readonly L2Status[]> => {
      const path = pathOf(serviceL2StatusKind, { namespace });
      const list = await transport.call<{ items: (KubeObject & { status?: unknown })[] }>({
        method: 'GET',
        path,
      });
      return list.items.map(({ status }) => parseL2Status(status) ?? {});
    },
    versions: async (): Promise<readonly unknown[]> => {
      const path = pathOf(serviceL2StatusKind, { namespace });
      const list = await transport.call<{ items: KubeObject[] }>({ method: 'GET', path });
      return list.items.map(({ metadata }) => metadata.resourceVersion);
    },
    async [Symbol.asyncDispose]() {
      transport.close();
      await api.close();
    },
  };
}

const holding = (term: number, what: Partial<Holding['latest']> = {}): Holding => ({
  addresses: ['198.51.100.1'],
  since: new Date('2026-01-01T12:00:00Z'),
  latest: {
    kind: 'held',
    link: 'eth0',
    mac: '02:00:00:00:00:01',
    address: '198.51.100.1',
    term,
    reason: 'Unclaimed',
    takeoverMs: 1.4,
    ...what,
  },
});

test('a holder writes who holds what since when, and why', async () => {
  await using lab = await open();
  await lab.reporter('node-1').write(service, holding(1), signal);
  assert.deepEqual(await lab.written(), [
    {
      node: 'node-1',
      serviceName: 'web',
      serviceNamespace: 'default',
      interfaces: [{ name: 'eth0' }],
      addresses: ['198.51.100.1'],
      mac: '02:00:00:00:00:01',
      since: '2026-01-01T12:00:00.000Z',
      term: 1,
      reason: 'Unclaimed',
      takeoverMs: 1,
      moves: 0,
    },
  ]);
});

test('the next holder writes into the same object, and counts the move', async () => {
  await using lab = await open();
  await lab.reporter('node-1').write(service, holding(1), signal);
  const died = { reason: 'HolderDied', from: 'node-1', silentMs: 301.2 } as const;
  await lab.reporter('node-2').write(service, holding(2, died), signal);
  await lab
    .reporter('node-3')
    .write(service, holding(3, { reason: 'HandedOver', from: 'node-2' }), signal);
  const [status, ...others] = await lab.written();
  assert.deepEqual(others, []);
  assert.equal(status?.node, 'node-3');
  assert.equal(status?.moves, 2);
  assert.equal(status?.previousNode, 'node-2');
  assert.equal(status?.detectionMs, undefined);
});

test('what a former holder writes late changes nothing', async () => {
  await using lab = await open();
  await lab.reporter('node-2').write(service, holding(2), signal);
  await lab.reporter('node-1').write(service, holding(1), signal);
  assert.equal((await lab.written())[0]?.node, 'node-2');
});

test('of two that took an address at once the one that keeps it stands written, whoever writes last', async () => {
  const keeps = beats('198.51.100.1', { holder: 'node-1', term: 1 }, { holder: 'node-2', term: 1 });
  const winner = keeps ? 'node-1' : 'node-2';
  for (const order of [
    ['node-1', 'node-2'],
    ['node-2', 'node-1'],
  ]) {
    await using lab = await open();
    for (const node of order) await lab.reporter(node).write(service, holding(1), signal);
    assert.equal((await lab.written())[0]?.node, winner);
  }
});

test('terms of one link say nothing about another: who holds there now is written', async () => {
  await using lab = await open();
  await lab.reporter('node-2').write(service, holding(2), signal);
  await lab.reporter('node-1').write(service, holding(1, { link: 'eth1' }), signal);
  assert.equal((await lab.written())[0]?.node, 'node-1');
});

test('saying the same again writes nothing', async () => {
  await using lab = await open();
  await lab.reporter('node-1').write(service, holding(1), signal);
  const before = await lab.versions();
  await lab.reporter('node-1').write(service, holding(1), signal);
  assert.deepEqual(await lab.versions(), before);
});

test('only the holder takes its object away', async () => {
  await using lab = await open();
  await lab.reporter('node-1').write(service, holding(1), signal);
  await lab.reporter('node-2').remove(service, signal);
  assert.equal((await lab.written()).length, 1);
  await lab.reporter('node-1').remove(service, signal);
  await lab.reporter('node-1').remove(service, signal);
  assert.deepEqual(await lab.written(), []);
});
