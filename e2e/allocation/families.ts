import type { Found } from './town.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { addresses, both, dualStack, fromPool, singleStack } from './wishes.ts';

const four = '198.51.100.1-198.51.100.9';
const six = '2001:db8::1-2001:db8::9';
const pair = ['203.0.113.1-203.0.113.9', '2001:db8:1::1-2001:db8:1::9'];
const prefer = dualStack('PreferDualStack');
const require = dualStack('RequireDualStack');

export function describeFamilies(found: Found): void {
  describe('IP families', () => {
    describeFirstChoice(found);
    describeLaterPools(found);
    describePinnedPairs(found);
  });
}

function describeFirstChoice(found: Found): void {
  // E51
  test('PreferDualStack takes a pool with both families, whatever comes before it', async () => {
    await using town = await found();
    await town.pool('a-four', four);
    await town.pool('b-six', six);
    await town.pool('c-pair', pair);
    town.start();
    await town.service('a', prefer);
    await town.gets('a', '203.0.113.1 2001:db8:1::1');
    assert.equal(await town.poolOf('a'), 'c-pair');
  });

  // E52, E53
  test('where no pool has both, PreferDualStack takes the family that the Service puts first', async () => {
    await using town = await found();
    await town.pool('a-six', six);
    await town.pool('b-four', four);
    town.start();
    const { spec: { ipFamilyPolicy } = {} } = prefer;
    await town.service('by-default', { spec: { ipFamilyPolicy: ipFamilyPolicy ?? null } });
    await town.gets('by-default', '198.51.100.1');
    await town.service('six-first', dualStack('PreferDualStack', 'IPv6'));
    await town.gets('six-first', '2001:db8::1');
  });

  // TestControllerMutation: PreferDualStack with cluster addresses of one family
  test('a Service of one family has one address of it, from whichever pool has both', async () => {
    await using town = await found();
    await town.pool('pair', pair);
    town.start();
    await town.service('four', singleStack('IPv4'));
    await town.service('six', singleStack('IPv6'));
    await town.gets('four', '203.0.113.1');
    await town.gets('six', '2001:db8:1::1');
  });
}

function describeLaterPools(found: Found): void {
  // E54
  test('when its pool becomes dual-stack, the second address is added and the first stays', async () => {
    await using town = await found();
    await town.pool('lan', four);
    town.start();
    await town.service('a', prefer);
    await town.gets('a', '198.51.100.1');
    await town.pool('lan', [four, six]);
    await town.gets('a', '198.51.100.1 2001:db8::1');
  });

  // E55
  test('PreferDualStack turned RequireDualStack keeps its one address, says what is missing, and may turn back', async () => {
    await using town = await found();
    await town.pool('lan', four);
    town.start();
    await town.service('a', prefer);
    await town.gets('a', '198.51.100.1');
    await town.edit('a', { spec: { ipFamilyPolicy: 'RequireDualStack' } });
    await town.told('a', 'PoolLacksFamily', '198.51.100.1');
    await town.edit('a', { spec: { ipFamilyPolicy: 'PreferDualStack' } });
    await town.told('a', 'IPAllocated', '198.51.100.1');
  });

  // E56
  test('a dual-stack pool that appears later moves nobody', async () => {
    await using town = await found();
    await town.pool('lan', four);
    town.start();
    await town.service('a', prefer);
    await town.gets('a', '198.51.100.1');
    const before = await town.read('a');
    await town.pool('a-pair', pair);
    await town.settle();
    assert.deepEqual(await town.read('a'), before);
  });

  // E57
  test('of a pool that loses a family both addresses stay, and when reclaimed both are replaced at once', async () => {
    await using town = await found();
    const [v4 = '', v6 = ''] = pair;
    await town.pool('a-pair', pair);
    await town.pool('b-pair', ['198.51.100.7/32', '2001:db8:7::7/128']);
    town.start();
    await town.service('a', require);
    await town.gets('a', '203.0.113.1 2001:db8:1::1');
    await town.pool('a-pair', v4);
    await town.told('a', 'AddressDraining', '203.0.113.1 2001:db8:1::1');
    await town.pool('a-pair', v4, { reclaim: [v6] });
    await town.gets('a', '198.51.100.7 2001:db8:7::7');
    assert.equal(await town.poolOf('a'), 'b-pair');
  });
}

function describePinnedPairs(found: Found): void {
  // TestControllerMutation: a dual-stack Service that names a pool
  test('a pair comes from the pool that is named, or not at all', async () => {
    await using town = await found();
    await town.pool('a-pair', [four, six]);
    await town.pool('b-pair', pair);
    await town.pool('c-four', '198.18.0.0/31');
    town.start();
    await town.service('a', both(require, fromPool('b-pair')));
    await town.gets('a', '203.0.113.1 2001:db8:1::1');
    await town.service('b', both(require, fromPool('c-four')));
    await town.told('b', 'PoolLacksFamily');
    await town.service('c', both(prefer, fromPool('c-four')));
    await town.gets('c', '198.18.0.0');
  });

  // TestAssignment: two families from one pool, from two pools
  test('a pinned pair comes from one pool, in the order in which it is written', async () => {
    await using town = await found();
    await town.pool('lan', [four, six]);
    await town.pool('pair', pair);
    town.start();
    await town.service('a', both(require, addresses('2001:db8::5, 198.51.100.5')));
    await town.gets('a', '2001:db8::5 198.51.100.5');
    await town.service('b', both(require, addresses('198.51.100.6,2001:db8:1::6')));
    await town.told('b', 'AddressOutsidePools');
    await town.settle();
    assert.equal(await town.ips('a'), '2001:db8::5 198.51.100.5');
  });

  // TestControllerMutation: requests of a family that the Service has not
  test('addresses of other families than the Service has are refused, and what it holds stays', async () => {
    await using town = await found();
    await town.pool('lan', [four, six]);
    town.start();
    const cases = [
      { name: 'four', wish: singleStack('IPv4'), ips: '198.51.100.1', ask: '2001:db8::7' },
      { name: 'six', wish: singleStack('IPv6'), ips: '2001:db8::1', ask: '198.51.100.7' },
      {
        name: 'pair-for-one',
        wish: singleStack('IPv4'),
        ips: '198.51.100.2',
        ask: '198.51.100.7,2001:db8::7',
      },
      { name: 'one-for-pair', wish: require, ips: '198.51.100.3 2001:db8::2', ask: '198.51.100.7' },
    ];
    for (const { name, wish, ips, ask } of cases) {
      await town.service(name, wish);
      await town.gets(name, ips);
      await town.edit(name, addresses(ask));
      await town.told(name, 'FamilyMismatch', ips);
    }
  });
}
