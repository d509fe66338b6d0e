import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { until } from '../../daemon/testing/until.ts';
import type { Found, Town } from './town.ts';
import { addresses, both, dualStack, sharing, singleStack } from './wishes.ts';

/** Until the status of a pool counts so: IPv4 in use and free, then IPv6 in use and free. */
async function counts(town: Town, pool: string, ...expected: readonly number[]): Promise<void> {
  await until(`pool ${pool} counts ${expected.join(' ')}`, async () => {
    const { status = {} } = await town.readPool(pool);
    const { assignedIPv4, availableIPv4, assignedIPv6, availableIPv6 } = status;
    const now = [assignedIPv4, availableIPv4, assignedIPv6, availableIPv6];
    if (now.join() !== expected.join()) throw new Error(`it counts ${now.join(' ')}`);
    return true;
  });
}

export function describeStatus(found: Found): void {
  describe('what is shown', () => {
    describeCounts(found);
    describeMeddling(found);
    describeRefusals(found);
  });
}

function describeCounts(found: Found): void {
  // E58; TestPoolMetrics
  test('a pool counts what is in use and what is free, through everything that happens to it', async () => {
    await using town = await found();
    await town.pool('lan', ['198.51.100.0/30', '2001:db8::/126']);
    town.start();
    await counts(town, 'lan', 0, 4, 0, 4);
    await town.service('pair', dualStack('RequireDualStack'));
    await counts(town, 'lan', 1, 3, 1, 3);
    await town.pool('lan', ['198.51.100.0/29', '2001:db8::/125']);
    await counts(town, 'lan', 1, 7, 1, 7);
    for (const port of [80, 443, 8080]) await town.service(`s${port}`, sharing('k', port));
    await counts(town, 'lan', 2, 6, 1, 7);
    await town.remove('pair');
    await counts(town, 'lan', 1, 7, 0, 8);
    await town.writePoolStatus('lan', { assignedIPv4: 77, availableIPv4: 0 });
    await counts(town, 'lan', 1, 7, 0, 8);
  });

  // TestPoolCount
  test('the size of a pool is that of its ranges, without what it avoids, as far as JSON can count', async () => {
    await using town = await found();
    const most = Number.MAX_SAFE_INTEGER;
    const [whole, half, small] = ['198.18.1.0/24', '198.18.2.0/25', '198.18.3.0/32'];
    await town.pool('whole', whole);
    await town.pool('more', [half, '198.18.4.0/24']);
    await town.pool('avoiding', ['198.18.5.0/24', '198.18.6.0/25'], { avoidBuggyIPs: true });
    await town.pool('huge', [small, '2001:db8::/64']);
    await town.pool('small', ['198.18.7.0/32', '2001:db8:1::/127']);
    town.start();
    await counts(town, 'whole', 0, 256, 0, 0);
    await counts(town, 'more', 0, 384, 0, 0);
    await counts(town, 'avoiding', 0, 381, 0, 0);
    await counts(town, 'huge', 0, 1, 0, most);
    await counts(town, 'small', 0, 1, 0, 2);
  });
}

function describeMeddling(found: Found): void {
  // TestControllerMutation: junk, host names, too many addresses, addresses of the wrong family in the status
  test('what others write over the addresses of a Service is put right, and the address stays', async () => {
    await using town = await found();
    await town.pool('lan', ['198.51.100.0/24', '2001:db8::/120']);
    town.start();
    await town.service('one');
    await town.gets('one', '198.51.100.0');
    await town.service('pair', dualStack('RequireDualStack'));
    await town.gets('pair', '198.51.100.1 2001:db8::');
    const junk = [
      [{ ip: '203.0.113.9' }],
      [{ hostname: 'lb.example.com' }],
      [{ ip: '2001:db8::77' }],
      [{ ip: '198.51.100.7' }],
      [{ ip: '198.51.100.0' }, { ip: '198.51.100.7' }, { ip: '198.51.100.8' }],
      [],
    ];
    for (const ingress of junk) {
      await town.writeStatus('one', ...ingress);
      await town.writeStatus('pair', ...ingress);
      await town.gets('one', '198.51.100.0');
      await town.gets('pair', '198.51.100.1 2001:db8::');
    }
  });

  // TestControllerMutation: a Service that is no LoadBalancer
  test('a Service that never was a LoadBalancer is not written', async () => {
    await using town = await found();
    await town.pool('lan', '198.51.100.0/24');
    town.start();
    await town.service('inner', { spec: { type: 'ClusterIP' } });
    const before = await town.read('inner');
    await town.settle();
    assert.deepEqual(await town.read('inner'), before);
  });
}

function describeRefusals(found: Found): void {
  // TestControllerMutation: requests that end in a warning
  test('who cannot be served is told by condition and Warning event, new or with an address', async () => {
    await using town = await found();
    await town.pool('lan', ['198.51.100.0/24', '2001:db8::/120']);
    await town.pool('other', '203.0.113.0/24', { autoAssign: false });
    town.start();
    await town.service('owner', addresses('198.51.100.200'));
    await town.gets('owner', '198.51.100.200');
    const field = (loadBalancerIP: string) => ({ spec: { loadBalancerIP } });
    const cases = [
      ['AddressAskedTwice', both(addresses('198.51.100.201'), field('198.51.100.201'))],
      ['AddressUnreadable', addresses('please-work')],
      ['AddressUnreadable', field('please-work')],
      ['AddressOutsidePools', addresses('198.18.0.1')],
      ['AddressTaken', addresses('198.51.100.200')],
      ['PoolUnknown', { annotations: { 'metallb.io/address-pool': 'nowhere' } }],
      [
        'PoolMismatch',
        {
          annotations: {
            'metallb.io/address-pool': 'other',
            'metallb.io/loadBalancerIPs': '198.51.100.201',
          },
        },
      ],
      ['FamilyMismatch', addresses('2001:db8::7')],
    ] as const;
    for (const [index, [reason, wish]] of cases.entries()) {
      const [fresh, holder, ip] = [`new-${index}`, `holder-${index}`, `198.51.100.${index}`];
      await town.service(fresh, wish);
      await town.told(fresh, reason);
      await town.service(holder, singleStack('IPv4'));
      await town.gets(holder, ip);
      await town.edit(holder, wish);
      await town.told(holder, reason, ip);
      for (const name of [fresh, holder]) {
        const warned = async () => (await town.events(name)).includes(`Warning ${reason}`);
        await until(`${name} has a Warning event`, warned);
      }
    }
  });
}
