import type { Found } from './town.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { addresses, fromPool, singleStack } from './wishes.ts';

export function describePools(found: Found): void {
  describe('pools', () => {
    describeNotation(found);
    describeNamedPools(found);
    describeWaiting(found);
  });
}

function describeNotation(found: Found): void {
  // E7
  test('a pool written as a range gives its addresses, the lowest first, and its name', async () => {
    await using town = await found();
    await town.pool('lan', '198.51.100.7-198.51.100.8');
    town.start();
    await town.service('a');
    await town.gets('a', '198.51.100.7');
    await town.service('b');
    await town.gets('b', '198.51.100.8');
    assert.equal(await town.poolOf('a'), 'lan');
    await town.service('c');
    await town.told('c', 'PoolExhausted');
    assert.equal(await town.poolOf('c'), undefined);
  });

  // E8
  test('a pool written as several networks gives the addresses of each', async () => {
    await using town = await found();
    await town.pool('lan', ['203.0.113.4/32', '198.51.100.8/31', '2001:db8::8/127']);
    town.start();
    const wanted = ['198.51.100.8', '198.51.100.9', '203.0.113.4'];
    for (const [index, ip] of wanted.entries()) {
      await town.service(`four-${index}`);
      await town.gets(`four-${index}`, ip);
    }
    await town.service('six', singleStack('IPv6'));
    await town.gets('six', '2001:db8::8');
  });
}

function describeNamedPools(found: Found): void {
  const cases = [
    { family: 'IPv4', first: '198.51.100.1', second: '203.0.113.1', bits: 32 },
    { family: 'IPv6', first: '2001:db8::1', second: '2001:db8:1::1', bits: 128 },
  ] as const;
  for (const { family, first, second, bits } of cases) {
    for (const autoAssign of [true, false]) {
      // E13, E14 (IPv4), E15, E16 (IPv6)
      test(`a Service that names a pool has its ${family} address from it, autoAssign ${autoAssign}`, async () => {
        await using town = await found();
        await town.pool('first', `${first}/${bits}`, { autoAssign });
        await town.pool('second', `${second}/${bits}`, { autoAssign });
        town.start();
        const { spec = {} } = singleStack(family);
        await town.service('a', { ...fromPool('second'), spec });
        await town.gets('a', second);
        assert.equal(await town.poolOf('a'), 'second');
        const before = await town.read('a');
        await town.service('b', { ...fromPool('first'), spec });
        await town.gets('b', first);
        assert.equal(await town.poolOf('b'), 'first');
        await town.settle();
        assert.deepEqual(await town.read('a'), before);
      });
    }
  }

  // TestControllerMutation: another pool is named
  test('a Service that names another pool moves there in one step, once that has an address', async () => {
    await using town = await found();
    await town.pool('first', '198.51.100.1/32');
    await town.pool('second', '203.0.113.1/32');
    town.start();
    await town.service('a', fromPool('first'));
    await town.gets('a', '198.51.100.1');
    await town.service('b', fromPool('second'));
    await town.gets('b', '203.0.113.1');
    await town.edit('a', fromPool('second'));
    await town.told('a', 'PoolExhausted', '198.51.100.1');
    await town.remove('b');
    await town.gets('a', '203.0.113.1');
    assert.equal(await town.poolOf('a'), 'second');
    await town.service('c');
    await town.gets('c', '198.51.100.1');
  });
}

function describeWaiting(found: Found): void {
  // E39
  test('a Service that waits is served when the holder of the only address turns into a ClusterIP', async () => {
    await using town = await found();
    await town.pool('one', '198.51.100.1/32');
    town.start();
    await town.service('a');
    await town.gets('a', '198.51.100.1');
    await town.service('b');
    await town.told('b', 'PoolExhausted');
    await town.edit('a', { spec: { type: 'ClusterIP' } });
    await town.gets('b', '198.51.100.1');
    await town.gets('a', '');
    assert.equal(await town.poolOf('a'), undefined);
    assert.equal(await town.reason('a'), undefined);
  });

  // E40; TestDeleteRecyclesIP
  test('a Service that waits is served when the holder of the only address is deleted', async () => {
    await using town = await found();
    await town.pool('one', '198.51.100.1/32');
    town.start();
    await town.service('a');
    await town.gets('a', '198.51.100.1');
    await town.service('b', addresses('198.51.100.1'));
    await town.told('b', 'AddressTaken');
    await town.remove('a');
    await town.gets('b', '198.51.100.1');
  });
}
