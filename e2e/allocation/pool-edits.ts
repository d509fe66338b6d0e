import type { Found } from './town.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { addresses, singleStack } from './wishes.ts';

export function describePoolEdits(found: Found): void {
  describe('pools that change under their Services', () => {
    describeDeletedPools(found);
    describeShrunkPools(found);
    describeMovedAddresses(found);
  });
}

function describeDeletedPools(found: Found): void {
  // E43
  test('when all pools are deleted the addresses stay, and nobody gets a new one', async () => {
    await using town = await found();
    await town.pool('lan', '198.51.100.0/24');
    town.start();
    await town.service('a');
    await town.gets('a', '198.51.100.0');
    await town.removePool('lan');
    await town.told('a', 'AddressDraining', '198.51.100.0');
    await town.service('b');
    await town.told('b', 'NoPoolForService');
    assert.equal(await town.ips('a'), '198.51.100.0');
  });

  // E44; TestControllerReassign
  test('the address of a deleted pool stays until it is reclaimed and another pool has one', async () => {
    await using town = await found();
    await town.pool('lan', '198.51.100.1/32');
    await town.pool('other', '203.0.113.1/32', { autoAssign: false });
    town.start();
    await town.service('a');
    await town.gets('a', '198.51.100.1');
    await town.removePool('lan');
    await town.told('a', 'AddressDraining', '198.51.100.1');
    const reclaim = ['198.51.100.0/24'];
    await town.pool('other', '203.0.113.1/32', { autoAssign: false, reclaim });
    await town.told('a', 'AddressOutsidePools', '198.51.100.1');
    await town.pool('other', '203.0.113.1/32', { reclaim });
    await town.gets('a', '203.0.113.1');
    assert.equal(await town.poolOf('a'), 'other');
  });
}

function describeShrunkPools(found: Found): void {
  // TestConfigReload: the same pools again, pools that grow
  test('a pool that is written again as it was changes nothing, and one that grows serves who waits', async () => {
    await using town = await found();
    await town.pool('lan', '198.51.100.1/32', { avoidBuggyIPs: false });
    town.start();
    await town.service('a');
    await town.gets('a', '198.51.100.1');
    await town.service('b');
    await town.told('b', 'PoolExhausted');
    const before = await town.read('a');
    await town.pool('lan', ['198.51.100.1-198.51.100.1']);
    await town.settle();
    assert.deepEqual(await town.read('a'), before);
    await town.pool('lan', '198.51.100.0/30');
    await town.gets('b', '198.51.100.0');
    assert.deepEqual(await town.read('a'), before);
  });

  // TestConfigReload: pools that shrink, of either family
  for (const family of ['IPv4', 'IPv6'] as const) {
    const prefix = family === 'IPv4' ? '198.51.100.' : '2001:db8::';
    test(`a pool of ${family} that shrinks keeps who is inside, and drains who is outside`, async () => {
      await using town = await found();
      await town.pool('lan', `${prefix}1-${prefix}3`);
      town.start();
      for (const [index, name] of ['a', 'b', 'c'].entries()) {
        await town.service(name, singleStack(family));
        await town.gets(name, `${prefix}${index + 1}`);
      }
      await town.pool('lan', `${prefix}1-${prefix}2`);
      await town.told('c', 'AddressDraining', `${prefix}3`);
      await town.remove('c');
      await town.service('d', { ...singleStack(family), ...addresses(`${prefix}3`) });
      await town.told('d', 'AddressOutsidePools');
      assert.deepEqual([await town.ips('a'), await town.ips('b')], [`${prefix}1`, `${prefix}2`]);
    });
  }

  // TestConfigReload: avoidBuggyIPs is turned on
  test('an address that its pool begins to avoid stays, and is given to nobody after', async () => {
    await using town = await found();
    await town.pool('lan', '198.51.100.0/31');
    town.start();
    await town.service('a');
    await town.gets('a', '198.51.100.0');
    await town.pool('lan', '198.51.100.0/31', { avoidBuggyIPs: true });
    await town.told('a', 'AddressDraining', '198.51.100.0');
    await town.remove('a');
    await town.service('b');
    await town.gets('b', '198.51.100.1');
    await town.service('c');
    await town.told('c', 'PoolExhausted');
    await town.service('d', addresses('198.51.100.0'));
    await town.told('d', 'AddressOutsidePools');
  });
}

function describeMovedAddresses(found: Found): void {
  // TestConfigReload: a pool is renamed
  test('a pool that goes by a new name keeps its Services, and they say the new name', async () => {
    await using town = await found();
    await town.pool('lan', '198.51.100.1/32');
    town.start();
    await town.service('a');
    await town.gets('a', '198.51.100.1');
    await town.removePool('lan');
    await town.told('a', 'AddressDraining', '198.51.100.1');
    await town.pool('office', '198.51.100.1/32');
    await town.told('a', 'IPAllocated', '198.51.100.1');
    assert.equal(await town.poolOf('a'), 'office');
  });

  // TestConfigReload: a pool is split
  test('of a pool that is split each Service goes with its address', async () => {
    await using town = await found();
    await town.pool('lan', '198.51.100.0/31');
    town.start();
    for (const name of ['a', 'b']) {
      await town.service(name);
      await town.gets(name, name === 'a' ? '198.51.100.0' : '198.51.100.1');
    }
    await town.pool('lan', '198.51.100.0/32');
    await town.pool('rest', '198.51.100.1/32');
    await town.told('b', 'IPAllocated', '198.51.100.1');
    assert.equal(await town.poolOf('b'), 'rest');
    assert.equal(await town.poolOf('a'), 'lan');
    assert.equal(await town.ips('a'), '198.51.100.0');
  });
}
