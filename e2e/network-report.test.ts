/** What a speaker writes about where its node stands, as an API server keeps it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { definitions, manifestOf } from '../crds/manifest.ts';
import { nodeNetworkKind } from '../crds/names.ts';
import { pathOf } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { openTransport } from '../kube/transport.ts';
import { reportNetworks } from '../speaker/network-report.ts';
import type { JsonObject } from './apiserver/json.ts';
import { openApiServer } from './apiserver/server.ts';

const namespace = 'metallb-system';
const { signal } = new AbortController();
const on = (...addresses: string[]) => ({ links: [{ name: 'eth0', addresses, gateways: [] }] });

async function open() {
  const api = await openApiServer({ namespaces: [namespace] });
  // The manifests are JSON: they are what the API server's YAML is made of.
  for (const definition of definitions) api.create(manifestOf(definition) as unknown as JsonObject);
  const transport = openTransport({ server: await api.listen() });
  const surroundings = { transport, namespace, node: 'a', nodeUid: () => 'uid-a' };
  return {
    report: (networks: ReturnType<typeof on>) => reportNetworks(networks, surroundings, signal),
    written: () => {
      const path = pathOf(nodeNetworkKind, { namespace, name: 'a' });
      return transport.call<KubeObject & { status?: unknown }>({ method: 'GET', path });
    },
    async [Symbol.asyncDispose]() {
      transport.close();
      await api.close();
    },
  };
}

test('a node’s networks stand in an object that goes with the node', async () => {
  await using server = await open();
  await server.report(on('198.51.100.11/24'));
  const { status, metadata } = await server.written();
  assert.deepEqual(status, on('198.51.100.11/24'));
  assert.deepEqual(metadata.ownerReferences, [
    { apiVersion: 'v1', kind: 'Node', name: 'a', uid: 'uid-a' },
  ]);
});

test('a status that changes is written over, and one that stands there is not written again', async () => {
  await using server = await open();
  await server.report(on('198.51.100.11/24'));
  await server.report(on('203.0.113.11/24'));
  const written = await server.written();
  assert.deepEqual(written.status, on('203.0.113.11/24'));
  await server.report(on('203.0.113.11/24'));
  assert.equal((await server.written()).metadata.resourceVersion, written.metadata.resourceVersion);
});
