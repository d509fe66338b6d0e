import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../daemon/clock.ts';
import { until } from '../../../daemon/testing/until.ts';
import { kinds } from '../../../kube/kinds.ts';
import type { KubeObject } from '../../../kube/object.ts';
import type { Transport } from '../../../kube/transport.ts';
import { create, mergePatch } from '../../../kube/write.ts';
import { openEmbeddedCluster } from '../../lab/embedded-cluster.ts';
import { apply } from '../../lab/manifests.ts';
import { apiServer, apiServerPort, speaker, systemNamespace } from '../../lab/programs.ts';
import { bundleOf } from '../bundle.ts';
import { type Cost, costOf } from '../cost.ts';

/** What a speaker takes that is alone, holds every address, and has nothing to do any more. */
export type Memory = Cost & { readonly services: number; readonly addresses: number };

/** A network of its own on the wire, of which the node and the client have one address each. */
const pool = '203.0.113.0/24';
const [ofNode, ofClient] = ['203.0.113.1', '203.0.113.2'];
const firstAddress = 4;
const mostAddresses = 250;
/** As many requests in flight as the operator has. */
const concurrency = 16;
/** For what follows when everything is announced: reports, events, the garbage of the beginning. */
const settleMs = 10_000;
const patienceMs = 60_000;

const addressOf = (index: number): string => `203.0.113.${firstAddress + (index % mostAddresses)}`;

/** So many Services, which share addresses where there are more of them, and one speaker as it is installed. */
export async function measureMemory(services: number): Promise<Memory> {
  await using cluster = await openEmbeddedCluster({ nodes: 1, lab: `m${process.pid}` });
  const { api, client, hosts } = cluster;
  const [host] = hosts.nodes;
  if (host === undefined) throw new Error('the bench has no node');
  await host.run('ip', ['address', 'add', `${ofNode}/24`, 'dev', 'eth0']);
  await client.host.run('ip', ['address', 'add', `${ofClient}/24`, 'dev', 'eth0']);
  hosts.control.install(apiServer(hosts.control, join(hosts.folder, 'apiserver')));
  await until('the API server answers', () => api.call({ method: 'GET', path: '/version' }));
  await cluster.applyDefinitions();
  for (const object of ground(host.name)) await apply(api, object);
  let next = 0;
  const fill = async (): Promise<void> => {
    while (next < services) await fillOne(api, next++);
  };
  await Promise.all(Array.from({ length: concurrency }, fill));
  const keyPath = join(hosts.folder, 'pulse-key');
  writeFileSync(keyPath, randomBytes(32).toString('base64'), { mode: 0o600 });
  const stateFolder = join(hosts.folder, 'state');
  mkdirSync(stateFolder);
  const server = `http://${hosts.control.address}:${apiServerPort}`;
  const program = speaker(host, { server, keyPath, stateFolder, responder: 'packet' });
  const running = host.install(bundleOf(program));
  const addresses = Math.min(services, mostAddresses);
  for (const index of [0, addresses - 1]) {
    const address = addressOf(index);
    const asked = () => client.ask(address);
    await until(`${address} is answered for`, asked, { withinMs: patienceMs });
  }
  await systemClock.sleep(settleMs);
  return { services, addresses, ...costOf(running.pid) };
}

type Specified = KubeObject & { readonly spec?: object };

const ground = (node: string): readonly Specified[] => [
  { apiVersion: 'v1', kind: 'Node', metadata: { name: node } },
  {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'IPAddressPool',
    metadata: { name: 'bench', namespace: systemNamespace },
    spec: { addresses: [pool] },
  },
  {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'L2Advertisement',
    metadata: { name: 'bench', namespace: systemNamespace },
    spec: { interfaces: ['eth0'] },
  },
];

/** A Service with its address, and one ready endpoint, without which it is not announced. */
async function fillOne(api: Transport, index: number): Promise<void> {
  const metadata = { name: `bench-${String(index).padStart(5, '0')}`, namespace: 'default' };
  const annotations = { 'metallb.io/ip-allocated-from-pool': 'bench' };
  const ports = [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 }];
  await create(api, kinds.service, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...metadata, annotations },
    spec: { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ports },
  });
  await mergePatch(
    api,
    { kind: kinds.service, ...metadata, subresource: 'status' },
    { status: { loadBalancer: { ingress: [{ ip: addressOf(index) }] } } },
  );
  await create(api, kinds.endpointSlice, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...metadata, labels: { 'kubernetes.io/service-name': metadata.name } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.244.0.9'], conditions: { ready: true } }],
    ports: [{ name: 'http', port: 8080 }],
  });
}
