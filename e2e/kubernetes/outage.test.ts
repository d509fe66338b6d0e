/**
 * The API server is needed for intent, never for liveness: what holds while Kubernetes' own parts die and come back, on a
 * whole cluster, as a client of the LAN sees it.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, suite, test } from 'node:test';
import { systemClock } from '../../daemon/clock.ts';
import { until } from '../../daemon/testing/until.ts';
import { kinds, pathOf } from '../../kube/kinds.ts';
import type { Lease, Pod } from '../../kube/object.ts';
import { leaseName } from '../../operator/operate.ts';
import type { Cluster } from '../lab/cluster.ts';
import { openSteadyProbe } from '../lab/failover.ts';
import { answerersOf, holderOf, someHolderOf } from '../lab/holders.ts';
import type { Host } from '../lab/host.ts';
import type { Probe } from '../lab/probe.ts';
import { openServing } from '../lab/serving.ts';
import { allAddresses, assigned } from '../lab/steps/addresses.ts';
import { needsPrograms } from './programs.ts';

const needs = await needsPrograms('kube-scheduler', 'kube-proxy');
const namespace = 'metallb-system';

suite('an outage of Kubernetes', needs, () => {
  let cluster: Cluster;
  let address: string;
  let probe: Probe;
  before(async () => {
    ({ cluster, address } = await openServing('kubernetes'));
    probe = await openSteadyProbe(cluster, address);
  });
  after(() => cluster?.[Symbol.asyncDispose]());
  afterEach(() => assert.deepEqual(cluster.crashes(), []));

  const holder = (): Promise<Host> => someHolderOf(cluster, address);
  const answerers = (): Promise<string[]> => answerersOf(cluster, address);

  async function killOnControl(name: string): Promise<void> {
    const running = cluster.hosts.control.running(name);
    running.signal('SIGKILL');
    await running.exited;
  }

  /** A Service that nobody has seen before is given an address, and a node answers for it. */
  async function everythingWorks(name: string): Promise<void> {
    const path = pathOf(kinds.service, { namespace: 'default' });
    const spec = { type: 'LoadBalancer', selector: { app: 'web' }, ports: [{ port: 80 }] };
    const body = { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec };
    await until(
      'the API server takes a Service',
      () => cluster.api.call({ method: 'POST', path, body }),
      {
        withinMs: 60_000,
      },
    );
    const given = await assigned(cluster, name);
    // Without endpoints there is nothing to announce, and Kubernetes' own controllers may wait for half a minute before
    // they look again for an API server that was away.
    await until(`a node answers for ${name}`, () => holderOf(cluster, given), { withinMs: 60_000 });
  }

  test('a killed API server and a killed etcd move nothing, and are picked up again', async () => {
    const from = await holder();
    const before = await allAddresses(cluster);
    const quiet = await probe.blackoutOf(async () => {
      await killOnControl('kube-apiserver');
      await killOnControl('etcd');
      await systemClock.sleep(3_000);
      cluster.hosts.control.start('etcd');
      cluster.hosts.control.start('kube-apiserver');
      await everythingWorks('after-etcd');
    });
    assert.ok(quiet.ms <= 200, `${quiet.ms} ms without an answer`);
    assert.deepEqual(await answerers(), [from.name]);
    const { 'after-etcd': _, ...still } = await allAddresses(cluster);
    assert.deepEqual(still, before);
  });

  test('a speaker that restarts while the API server is away knows what to announce', async () => {
    await killOnControl('kube-apiserver');
    const from = await holder();
    from.running('speaker').signal('SIGKILL');
    const heir = await until('another node answers', async () => {
      const host = await holder();
      return host !== from && host;
    });
    from.start('speaker');
    await cluster.memberAgain(from);
    // Both others go: who came back without an API server has to take over, by the plan on its disk.
    const others = cluster.hosts.nodes.filter((host) => host !== from);
    for (const host of others) host.running('speaker').signal('SIGKILL');
    await until(`${from.name} answers`, async () => (await holder()) === from);
    assert.notEqual(heir, from);
    for (const host of others) host.start('speaker');
    await Promise.all(others.map(cluster.memberAgain));
    assert.deepEqual(await answerers(), [from.name]);
    cluster.hosts.control.start('kube-apiserver');
    await everythingWorks('after-restart');
    assert.deepEqual(await answerers(), [from.name]);
  });

  test('the node of the leading operator loses power, and the other operator leads', async () => {
    const leader = async (): Promise<string> => {
      const path = pathOf(kinds.lease, { namespace, name: leaseName });
      const { spec } = await cluster.api.call<Lease>({ method: 'GET', path });
      return spec?.holderIdentity ?? '';
    };
    const pod = await leader();
    const path = pathOf(kinds.pod, { namespace, name: pod });
    const { spec } = await cluster.api.call<Pod>({ method: 'GET', path });
    const node = cluster.hosts.node(spec?.nodeName ?? '');
    const before = await allAddresses(cluster);
    node.cutPower();
    await until('another one leads', async () => (await leader()) !== pod, { withinMs: 30_000 });
    await everythingWorks('under-the-other');
    const { 'under-the-other': _, ...still } = await allAddresses(cluster);
    assert.deepEqual(still, before);
    await node.restorePower();
    await cluster.memberAgain(node);
    assert.equal((await answerers()).length, 1);
  });
});
