import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { until } from '../../daemon/testing/until.ts';
import type { Mac } from '../../net/mac.ts';
import type { Cluster } from '../lab/cluster.ts';
import type { Host } from '../lab/host.ts';
import { openSecondLan, secondMacOf } from '../lab/second-lan.ts';
import { type Enter, named, sideBySide, type Tenant } from './tenant.ts';

const links = ['eth0', 'eth1'] as const;
type Link = (typeof links)[number];

export function describeInterfaces(enter: Enter, cluster: () => Cluster): void {
  describe('the interfaces of an advertisement', sideBySide, () => {
    before(async () => {
      const { client, nodes } = cluster().hosts;
      await openSecondLan([client, ...nodes]);
    });

    for (const link of links) {
      // E21, E22
      test(`stand in the status, and answer with their MAC: ${link}`, async () => {
        await using tenant = await enter();
        await tenant.pool();
        await tenant.service();
        await tenant.advertise({ interfaces: [link] });
        await until('the node that answers stands in the status', async () => {
          const [node = 'nobody', ...others] = await answeringOn(tenant, link);
          assert.deepEqual(others, []);
          const status = await tenant.status();
          assert.equal(status?.node, node);
          assert.equal(status.mac, macOn(link)(tenant.cluster.hosts.node(node)));
          assert.deepEqual(status.interfaces, [{ name: link }]);
          return true;
        });
      });
    }

    // E23
    test('are the only ones to answer, and others as soon as it names others', async () => {
      await using tenant = await enter();
      await tenant.pool();
      await tenant.service();
      for (const [link, other] of [links, links.toReversed(), links] as [Link, Link][]) {
        await tenant.advertise({ interfaces: [link] });
        await until(`a node answers on ${link} alone`, async () => {
          const answering = await answeringOn(tenant, link);
          const silent = await answeringOn(tenant, other);
          return answering.length === 1 && silent.length === 0;
        });
      }
    });

    // E24
    test('that no node has leave the address unanswered', async () => {
      await using tenant = await enter();
      await tenant.pool();
      await tenant.service();
      await tenant.advertise({ interfaces: ['eth9'] });
      await tenant.staysSilent();
      assert.deepEqual(await answeringOn(tenant, 'eth1'), []);
    });

    // E25
    test('of several advertisements are all of them', async () => {
      await using tenant = await enter();
      await tenant.pool();
      await tenant.service();
      for (const link of links)
        await tenant.advertise({ interfaces: [link] }, `${tenant.name}-${link}`);
      for (const link of links) {
        const one = async () => (await answeringOn(tenant, link)).length === 1;
        await until(`one node answers on ${link}`, one);
      }
      await until('the holders of both links stand in the status', async () => {
        const answering: string[] = [];
        for (const link of links)
          answering.push(`${link} ${(await answeringOn(tenant, link)).join()}`);
        const { holders = [] } = (await tenant.status()) ?? {};
        assert.deepEqual(
          holders.map((each) => `${each.interface} ${each.node}`),
          answering,
        );
        return true;
      });
    });

    // E26
    test('are those of its nodes', async () => {
      await using tenant = await enter();
      await tenant.pool();
      await tenant.service();
      for (const host of tenant.nodes) {
        await tenant.advertise({ interfaces: ['eth1'], nodeSelectors: [named(host)] });
        const alone = async () => (await answeringOn(tenant, 'eth1')).join() === host.name;
        await until(`${host.name} alone answers on eth1`, alone);
        assert.deepEqual(await answeringOn(tenant, 'eth0'), []);
      }
    });
  });
}

/** The names of the nodes that answer there, by the MAC of that very interface; another MAC stands for itself. */
async function answeringOn({ address, cluster }: Tenant, link: Link): Promise<string[]> {
  const { client, hosts } = cluster;
  const macs = new Set(await client.answers(address, link));
  const macOf = macOn(link);
  return [...macs].map((mac) => hosts.nodes.find((host) => macOf(host) === mac)?.name ?? mac);
}

const macOn = (link: Link): ((host: Host) => Mac) =>
  link === 'eth0' ? ({ mac }) => mac : secondMacOf;
