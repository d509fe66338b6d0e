/** The lab's nodes are nodes to Kubernetes: what its own scheduler, controllers and kube-proxy make of them. */
import assert from 'node:assert/strict';
import { after, afterEach, before, suite, test } from 'node:test';
import { until } from '../../daemon/testing/until.ts';
import { kinds, pathOf } from '../../kube/kinds.ts';
import type { EndpointSlice, Node, Pod, Service } from '../../kube/object.ts';
import type { Cluster } from '../lab/cluster.ts';
import { openKubernetesCluster } from '../lab/kubernetes-cluster.ts';
import { apply } from '../lab/manifests.ts';
import { needsPrograms } from './programs.ts';

const needs = await needsPrograms('kube-scheduler', 'kube-proxy');

suite('a node of the lab', needs, () => {
  let cluster: Cluster;
  before(async () => {
    // A kubelet renews its lease every ten seconds: two of them missed.
    const controllerFlags = { 'node-monitor-grace-period': '25s' };
    cluster = await openKubernetesCluster({ nodes: 2, controllerFlags });
    await cluster.startControlPlane();
  });
  after(() => cluster?.[Symbol.asyncDispose]());
  afterEach(() => assert.deepEqual(cluster.crashes(), []));

  const list = async <T>(path: string): Promise<readonly T[]> =>
    (await cluster.api.call<{ items: readonly T[] }>({ method: 'GET', path })).items;
  /** The Pod of the backend on a node, once it is ready. */
  const backendOn = (node: string): Promise<Pod> =>
    until(`the backend of ${node} is ready`, async () => {
      const pods = await list<Pod>(pathOf(kinds.pod, { namespace: 'default' }));
      return pods.find(
        ({ metadata, spec, status }) =>
          spec?.nodeName === node &&
          metadata.deletionTimestamp === undefined &&
          status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
      );
    });

  test('is ready, has an address, and runs the Pods that the scheduler binds to it', async () => {
    const nodes = await list<Node>(pathOf(kinds.node));
    assert.deepEqual(
      nodes.map(
        ({ status }) => status?.addresses?.find(({ type }) => type === 'InternalIP')?.address,
      ),
      ['198.51.100.11', '198.51.100.12'],
    );
    assert.match((await backendOn('node-1')).status?.podIP ?? '', /^10\.244\.11\.\d+$/);
    assert.match((await backendOn('node-2')).status?.podIP ?? '', /^10\.244\.12\.\d+$/);
  });

  test('leads the address of a Service to Pods on every node', async () => {
    const ports = [{ port: 80, targetPort: 8080 }];
    const spec = { selector: { app: 'web' }, ports };
    const metadata = { name: 'inside', namespace: 'default' };
    const service: Service = { apiVersion: 'v1', kind: 'Service', metadata, spec };
    const { spec: given } = await apply(cluster.api, service);
    const path = pathOf(kinds.endpointSlice, { namespace: 'default' });
    await until('the controller has found both Pods', async () => {
      const slices = await list<EndpointSlice>(path);
      return slices.some(
        ({ metadata: { name }, endpoints }) =>
          name.startsWith('inside-') && endpoints?.length === 2,
      );
    });
    const served = new Set<string>();
    const url = `http://${given?.clusterIPs?.[0]}/`;
    const host = cluster.hosts.node('node-1');
    await until('both have served', async () => {
      served.add(await host.run('curl', ['--silent', '--fail', '--max-time', '1', url]));
      return served.size === 2;
    });
  });

  test('ends the process of a Pod that is deleted, and starts the next one', async () => {
    const { metadata } = await backendOn('node-1');
    const host = cluster.hosts.node('node-1');
    const { exited } = host.running(metadata.name);
    await cluster.api.call({ method: 'DELETE', path: pathOf(kinds.pod, metadata) });
    assert.equal(await exited, 'by SIGTERM');
    const next = await backendOn('node-1');
    assert.notEqual(next.metadata.uid, metadata.uid);
    assert.equal(host.isRunning(next.metadata.name), true);
  });

  test('starts a container again that was killed', async () => {
    const { metadata } = await backendOn('node-2');
    const host = cluster.hosts.node('node-2');
    host.running(metadata.name).signal('SIGKILL');
    await until('it is down', () => !host.isRunning(metadata.name));
    await until('it runs again', () => host.isRunning(metadata.name), { withinMs: 20_000 });
    assert.equal((await backendOn('node-2')).metadata.uid, metadata.uid);
  });

  test('that has no power is not ready any more after a while, and is again afterwards', async () => {
    const host = cluster.hosts.node('node-2');
    const readiness = async (): Promise<string | undefined> => {
      const path = pathOf(kinds.node, { name: host.name });
      const { status } = await cluster.api.call<Node>({ method: 'GET', path });
      return status?.conditions?.find(({ type }) => type === 'Ready')?.status;
    };
    host.cutPower();
    await until('Kubernetes has noticed', async () => (await readiness()) === 'Unknown', {
      withinMs: 45_000,
    });
    await host.restorePower();
    await until('it is ready', async () => (await readiness()) === 'True', { withinMs: 30_000 });
    await backendOn('node-2');
  });
});
