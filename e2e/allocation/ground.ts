import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nodeNetworkKind } from '../../crds/names.ts';
import { until } from '../../daemon/testing/until.ts';
import { kinds } from '../../kube/kinds.ts';
import type { Found, Town } from './town.ts';
import { addresses } from './wishes.ts';

/** Until a pool's condition says this; its other words do not matter. */
async function ready(town: Town, pool: string, reason: string): Promise<string> {
  return await until(`pool ${pool} is ${reason}`, async () => {
    const { status } = await town.readPool(pool);
    const condition = status?.conditions?.find(({ type }) => type === 'Ready');
    if (condition?.reason !== reason) throw new Error(`it is ${condition?.reason}`);
    return condition.message;
  });
}

export function describeGround(found: Found): void {
  describe('what the cluster has itself', () => {
    test('is handed out to nobody: the addresses of its nodes', async () => {
      await using town = await found();
      await town.pool('lan', '198.51.100.80-198.51.100.81');
      await town.put(kinds.node, 'node-on-lan', {
        status: { addresses: [{ type: 'InternalIP', address: '198.51.100.80' }] },
      });
      town.start();
      await town.service('web');
      await town.gets('web', '198.51.100.81');
      await town.service('pinned', addresses('198.51.100.80'));
      await town.told('pinned', 'AddressOccupied');
      await town.remove('web');
      await town.service('other');
      await town.gets('other', '198.51.100.81');
    });

    test('is waited for: an address is given once its node is gone', async () => {
      await using town = await found();
      await town.pool('lan', '198.51.100.82-198.51.100.82');
      await town.put(kinds.node, 'node-to-go', {
        status: { addresses: [{ type: 'InternalIP', address: '198.51.100.82' }] },
      });
      town.start();
      await town.service('web');
      await town.told('web', 'PoolExhausted');
      await town.take(kinds.node, 'node-to-go');
      await town.gets('web', '198.51.100.82');
    });

    test('is a fault of the pool where it is the network of its Pods', async () => {
      await using town = await found();
      await town.put(kinds.node, 'node-with-pods', { spec: { podCIDRs: ['203.0.113.64/26'] } });
      await town.pool('lan', '203.0.113.60-203.0.113.70');
      town.start();
      const message = await ready(town, 'lan', 'OccupiedNetwork');
      assert.match(message, /203\.0\.113\.64-203\.0\.113\.70/);
    });
  });

  test('addresses that no Service can have are given to nobody, and the pool says so', async () => {
    await using town = await found();
    await town.pool('loop', '127.0.0.1-127.0.0.9');
    town.start();
    assert.match(await ready(town, 'loop', 'UnusableAddresses'), /127\.0\.0\.1-127\.0\.0\.9/);
    await town.service('web');
    await town.told('web', 'PoolExhausted');
    await town.service('pinned', addresses('127.0.0.1'));
    await town.told('pinned', 'AddressUnusable');
  });

  describe('the networks of the nodes', () => {
    test('have routers and ends, which nobody gets', async () => {
      await using town = await found();
      await town.put(kinds.node, 'node-in-net', {});
      await town.put(nodeNetworkKind, 'node-in-net', {
        status: {
          links: [{ name: 'eth0', addresses: ['198.51.100.92/29'], gateways: ['198.51.100.89'] }],
        },
      });
      await town.pool('lan', '198.51.100.88/29');
      town.start();
      await town.service('a');
      await town.gets('a', '198.51.100.90');
      for (const address of ['198.51.100.88', '198.51.100.89', '198.51.100.92', '198.51.100.95']) {
        await town.service(`s-${address.slice(11)}`, addresses(address));
        await town.told(`s-${address.slice(11)}`, 'AddressOccupied');
      }
    });
  });
}
