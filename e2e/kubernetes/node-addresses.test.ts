/** The addresses of the nodes themselves on a whole cluster: kube-proxy serves on them, and nobody announces them. */
import assert from 'node:assert/strict';
import { after, afterEach, before, suite, test } from 'node:test';
import { systemClock } from '../../daemon/clock.ts';
import { until } from '../../daemon/testing/until.ts';
import { kinds, pathOf } from '../../kube/kinds.ts';
import type { Lease, Node, Pod, Service } from '../../kube/object.ts';
import { mergePatch } from '../../kube/write.ts';
import { leaseName } from '../../operator/operate.ts';
import { conditionType } from '../../operator/status.ts';
import type { Cluster } from '../lab/cluster.ts';
import { answerersOf } from '../lab/holders.ts';
import type { Host } from '../lab/host.ts';
import { openKubernetesCluster } from '../lab/kubernetes-cluster.ts';
import { needsPrograms } from './programs.ts';

const needs = await needsPrograms('kube-scheduler', 'kube-proxy');
const namespace = 'default';

suite('the addresses of the nodes', needs, () => {
  let cluster: Cluster;
  before(async () => {
    // A kubelet renews its lease every ten seconds: two of them missed.
    const controllerFlags = { 'node-monitor-grace-period': '25s' };
    cluster = await openKubernetesCluster({ nodes: 3, controllerFlags });
    await cluster.startControlPlane();
    await cluster.applyDefinitions();
    await cluster.startOperator();
    await cluster.startSpeakers();
    // It selects every pool, and this one all the same to no effect.
    await cluster.applyFile('examples/pool.yaml');
    await cluster.applyFile('examples/node-addresses.yaml');
  });
  after(() => cluster?.[Symbol.asyncDispose]());
  afterEach(() => assert.deepEqual(cluster.crashes(), []));

  const read = <T>(path: string): Promise<T> => cluster.api.call<T>({ method: 'GET', path });
  const service = (name: string): Promise<Service> =>
    read(pathOf(kinds.service, { namespace, name }));

  async function create(name: string, spec: object): Promise<void> {
    const metadata = { name, namespace, annotations: { 'metallb.io/address-pool': 'nodes' } };
    const body = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { type: 'LoadBalancer', selector: { app: 'web' }, ...spec },
    };
    await cluster.api.call({ method: 'POST', path: pathOf(kinds.service, { namespace }), body });
  }

  /** Until a Service has the addresses of these nodes, and no others; in milliseconds. */
  async function has(name: string, hosts: readonly Host[]): Promise<number> {
    const startMs = systemClock.nowMs();
    const expected = hosts.map(({ address }) => address).join(' ');
    const shows = async (): Promise<boolean> => {
      const { status } = await service(name);
      const now = (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip).join(' ');
      if (now !== expected) throw new Error(`it has ${now}: ${JSON.stringify(status?.conditions)}`);
      return true;
    };
    await until(`${name} has ${expected}`, shows, { withinMs: 60_000 });
    return systemClock.nowMs() - startMs;
  }

  /** What a node answers a client of the LAN on a port. */
  const served = (host: Host, port: number): Promise<string> =>
    until(`${host.name} serves on ${port}`, () =>
      cluster.client.curl(`http://${host.address}:${port}/`),
    );

  const backendOn = async (node: string): Promise<string> => {
    const path = pathOf(kinds.pod, { namespace });
    const { items } = await read<{ items: readonly Pod[] }>(path);
    const pod = items.find(
      ({ metadata, spec }) => metadata.labels?.['app'] === 'web' && spec?.nodeName === node,
    );
    assert.ok(pod, `a backend runs on ${node}`);
    return pod.metadata.name;
  };

  test('serve on every node, and only the node itself answers for its address', async () => {
    const { nodes } = cluster.hosts;
    await has('ingress', nodes);
    for (const host of nodes) {
      assert.match(await served(host, 8_081), /node-\d/);
      assert.deepEqual(await answerersOf(cluster, host.address), [host.name]);
    }
  });

  test('with the Local policy are those of the nodes that run a Pod of the Service', async () => {
    const [first, second] = cluster.hosts.nodes;
    assert.ok(first && second);
    const mark = async (host: Host, role: string | null): Promise<void> => {
      const target = { kind: kinds.pod, namespace, name: await backendOn(host.name) };
      await mergePatch(cluster.api, target, { metadata: { labels: { role } } });
    };
    await mark(first, 'local');
    const ports = [{ port: 8_082, targetPort: 8_080 }];
    await create('local', { selector: { role: 'local' }, externalTrafficPolicy: 'Local', ports });
    await has('local', [first]);
    assert.match(await served(first, 8_082), new RegExp(first.name));
    await mark(second, 'local');
    await has('local', [first, second]);
    await mark(first, null);
    await has('local', [second]);
    assert.match(await served(second, 8_082), new RegExp(second.name));
  });

  test('have a port once, and who comes second is told who has it', async () => {
    await create('second', { ports: [{ port: 8_081, targetPort: 8_080 }] });
    const told = async (): Promise<string> => {
      const { status } = await service('second');
      const condition = status?.conditions?.find(({ type }) => type === conditionType);
      if (condition?.reason === 'PortTaken') return condition.message ?? '';
      throw new Error(`it is told ${condition?.reason}`);
    };
    const message = await until('second is told', told);
    assert.match(message, /port TCP\/8081 of the nodes is held by default\/ingress\./);
    await cluster.api.call({
      method: 'DELETE',
      path: pathOf(kinds.service, { namespace, name: 'second' }),
    });
  });

  test('lose a node within a second of Kubernetes losing it, and have it again when it is back', async () => {
    const { nodes } = cluster.hosts;
    const lease = await read<Lease>(
      pathOf(kinds.lease, { namespace: 'metallb-system', name: leaseName }),
    );
    const leader = await read<Pod>(
      pathOf(kinds.pod, { namespace: 'metallb-system', name: lease.spec?.holderIdentity ?? '' }),
    );
    // The failover of the operator is another matter.
    const lost = nodes.find(({ name }) => name !== leader.spec?.nodeName);
    assert.ok(lost);
    const others = nodes.filter((host) => host !== lost);
    lost.cutPower();
    await until(
      'Kubernetes has noticed',
      async () => {
        const { status } = await read<Node>(pathOf(kinds.node, { name: lost.name }));
        return status?.conditions?.some(
          ({ type, status: is }) => type === 'Ready' && is === 'Unknown',
        );
      },
      { withinMs: 60_000 },
    );
    const tookMs = await has('ingress', others);
    assert.ok(tookMs < 1_000, `${tookMs} ms`);
    for (const host of others) await served(host, 8_081);
    await lost.restorePower();
    await has('ingress', nodes);
    await served(lost, 8_081);
  });
});
