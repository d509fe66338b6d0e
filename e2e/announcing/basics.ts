import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { annotationKey } from '../../crds/names.ts';
import { systemClock } from '../../daemon/clock.ts';
import { until } from '../../daemon/testing/until.ts';
import { kinds } from '../../kube/kinds.ts';
import type { Family } from '../../net/address.ts';
import type { Host } from '../lab/host.ts';
import { openProbe } from '../lab/probe.ts';
import { urlOf } from '../lab/url.ts';
import { type Enter, sideBySide, type Tenant } from './tenant.ts';

export function describeBasics(enter: Enter): void {
  describe('a Service', sideBySide, () => {
    // E1, E4
    test('is reached by TCP and by UDP', async () => {
      await using tenant = await enter();
      await tenant.pool();
      await tenant.advertise();
      const ports = [
        { name: 'http', port: 80 },
        { name: 'echo', port: 53, protocol: 'UDP' },
      ];
      await tenant.service({ ports });
      assert.match(await fetched(tenant), /^served by node-/);
      await using probe = openProbe(tenant.cluster.client.host, tenant.address, 53);
      await probe.steady(200);
    });

    // E2
    test('has one status, which names the node that the event names and that answers', async () => {
      await using tenant = await enter();
      await tenant.pool();
      await tenant.advertise();
      await tenant.service();
      const { name, mac } = await tenant.holder();
      const status = await until('the status is written', () => tenant.status());
      assert.deepEqual([status.node, status.mac], [name, mac]);
      assert.deepEqual(status.addresses, [tenant.address]);
      const told = async () =>
        (await tenant.events()).filter((each) => each.startsWith('nodeAssigned '));
      const by = `from node "${name}"`;
      await until('the event is written', async () =>
        (await told()).some((one) => one.includes(by)),
      );
      const before = await told();
      assert.equal(before.length, 1, before.join('\n'));
      // The time in which MetalLB's own would repeat itself.
      await systemClock.sleep(2_000);
      assert.deepEqual(await told(), before);
      assert.deepEqual(await tenant.status(), status);
      await tenant.remove(kinds.service);
      await until('the status is gone', async () => (await tenant.status()) === undefined);
      await tenant.silent();
    });

    test('with several addresses has all their holders in one status, and an event for each', async () => {
      await using tenant = await enter();
      await tenant.pool();
      await tenant.advertise();
      const annotations = {
        [annotationKey('loadBalancerIPs')]: tenant.addresses.join(),
        [annotationKey('address-count')]: '2',
      };
      await tenant.service({ annotations });
      const holders: string[] = [];
      for (const address of tenant.addresses)
        holders.push(`${address} ${(await tenant.holder(address)).name}`);
      assert.equal(new Set(holders.map((each) => each.split(' ')[1])).size, 2, holders.join());
      await until('both holders stand in the status', async () => {
        const { holders: written = [] } = (await tenant.status()) ?? {};
        assert.deepEqual(
          written.map(({ address, node }) => `${address} ${node}`),
          holders,
        );
        return true;
      });
      await until('both are told of', async () => {
        const told = (await tenant.events()).filter((each) => each.startsWith('nodeAssigned '));
        return told.length === 2;
      });
    });

    // E3
    test('with the Local policy is served on the node that answers for it', async () => {
      await using tenant = await enter();
      await tenant.pool();
      await tenant.advertise();
      await tenant.service({ policy: 'Local' });
      const { name } = await tenant.holder();
      for (let time = 0; time < 5; time++) assert.equal(await fetched(tenant), `served by ${name}`);
    });
    for (const family of ['IPv4', 'IPv6'] as const) describeFamily(enter, family);
  });
}

function describeFamily(enter: Enter, family: Family): void {
  // E9, E10
  test(`that shares its ${family} address is announced from the node that announces the other`, async () => {
    await using tenant = await enter(family);
    const [one, two] = tenant.nodes;
    assert.ok(one !== undefined && two !== undefined);
    await tenant.pool();
    await tenant.advertise();
    const annotations = { 'metallb.io/allow-shared-ip': 'both' };
    await tenant.service({ annotations, on: [one], ports: [{ name: 'a', port: 80 }] });
    const other = { annotations, on: [two], ports: [{ name: 'b', port: 81 }] };
    await tenant.service(other, `${tenant.name}-b`);
    const holder = await tenant.holder();
    await until('both are reached', async () => (await fetched(tenant, 81)) && fetched(tenant));
    await tenant.heldBy(holder);
    const names = [undefined, `${tenant.name}-b`].map((name) => nodeOf(tenant, name));
    assert.deepEqual(await Promise.all(names), [holder.name, holder.name]);
  });

  // E11, E12
  test(`with an ${family} address is counted by its holder alone, and by nobody when it is gone`, async () => {
    await using tenant = await enter(family);
    await tenant.pool();
    await tenant.advertise();
    await tenant.service();
    const holder = await tenant.holder();
    await until('the holder counts', async () => {
      const metrics = await metricsOf(tenant, holder);
      assert.match(metrics, /^mercurylb_answer_seconds_count [1-9]/m);
      const counts = ['requests_received', 'responses_sent', 'gratuitous_sent'].map((what) =>
        Number(new RegExp(`^metallb_layer2_${what}{link="eth0"} (\\d+)`, 'm').exec(metrics)?.[1]),
      );
      return isAnnounced(metrics, tenant) && counts.every((count) => count >= 1);
    });
    for (const host of tenant.nodes.filter((each) => each !== holder))
      assert.ok(!isAnnounced(await metricsOf(tenant, host), tenant), host.name);
    await tenant.remove(kinds.service);
    const gone = async () => !isAnnounced(await metricsOf(tenant, holder), tenant);
    await until('the holder no longer counts it', gone);
  });
}

/** What a new connection is answered with. */
const fetched = ({ address, cluster }: Tenant, port = 80): Promise<string> =>
  until(`${address} is served at ${port}`, async () =>
    (await cluster.client.curl(urlOf(address, port))).trim(),
  );

const nodeOf = (tenant: Tenant, name?: string): Promise<string> =>
  until('the status names a node', async () => (await tenant.status(name))?.node);

const metricsOf = ({ cluster }: Tenant, { address }: Host): Promise<string> =>
  cluster.client.curl(`http://${address}:7473/metrics`);

const isAnnounced = (metrics: string, { name, address }: Tenant): boolean =>
  metrics
    .split('\n')
    .some(
      (line) =>
        line.startsWith(`metallb_speaker_announced{service="default/${name}"`) &&
        line.includes(`ip="${address}"`) &&
        line.endsWith(' 1'),
    );
