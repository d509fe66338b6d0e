import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Found, Town } from './town.ts';
import { addresses, both, dualStack, sharing, singleStack } from './wishes.ts';

const local = (app: string) => ({ externalTrafficPolicy: 'Local', selector: { app } }) as const;

/** A town with one address, and a Service `a` that has it to share under the key `k`. */
async function foundShared(found: Found): Promise<Town> {
  const town = await found();
  await town.pool('one', '198.51.100.1/32');
  town.start();
  await town.service('a', sharing('k', 80));
  await town.gets('a', '198.51.100.1');
  return town;
}

export function describeSharing(found: Found): void {
  describe('sharing one address', () => {
    describeWhoMayJoin(found);
    describeWhoMayStay(found);
  });
}

function describeWhoMayJoin(found: Found): void {
  for (const [family, ip, bits] of [
    ['IPv4', '198.51.100.5', 32],
    ['IPv6', '2001:db8::5', 128],
  ] as const) {
    // E9 (IPv4), E10 (IPv6)
    test(`two Services that ask for one ${family} address with one key both have it`, async () => {
      await using town = await found();
      await town.pool('lan', `${ip}/${bits}`);
      town.start();
      for (const [name, port] of [
        ['a', 80],
        ['b', 443],
      ] as const) {
        const wish = both(addresses(ip), sharing('k', port));
        await town.service(name, both(singleStack(family), wish));
      }
      await town.gets('a', ip);
      await town.gets('b', ip);
      assert.deepEqual([await town.poolOf('a'), await town.poolOf('b')], ['lan', 'lan']);
    });
  }

  // TestPoolAllocation: sharing lets another one in
  test('a pair of addresses is shared in both families', async () => {
    await using town = await found();
    await town.pool('pair', ['198.51.100.5/32', '2001:db8::5/128']);
    town.start();
    for (const [name, port] of [
      ['a', 80],
      ['b', 443],
    ] as const) {
      await town.service(name, both(dualStack('RequireDualStack'), sharing('k', port)));
      await town.gets(name, '198.51.100.5 2001:db8::5');
    }
    await town.service('c', both(dualStack('RequireDualStack'), sharing('other', 90)));
    await town.told('c', 'PoolExhausted');
  });

  // TestAssignment: a key that changes while nobody else shares
  test('who is alone on an address may change the key, and those with the new one may join', async () => {
    await using town = await foundShared(found);
    await town.service('b', sharing('new', 443));
    await town.told('b', 'PoolExhausted');
    await town.edit('a', sharing('new', 80));
    await town.gets('b', '198.51.100.1');
    assert.equal(await town.ips('a'), '198.51.100.1');
  });

  // TestAssignment: ports that change while the address is shared
  test('who shares may change its ports, and frees those it had', async () => {
    await using town = await foundShared(found);
    await town.service('b', sharing('k', 443));
    await town.gets('b', '198.51.100.1');
    await town.service('c', sharing('k', 80));
    await town.told('c', 'PoolExhausted');
    await town.edit('a', sharing('k', 8080));
    await town.gets('c', '198.51.100.1');
    assert.deepEqual([await town.ips('a'), await town.ips('b')], ['198.51.100.1', '198.51.100.1']);
  });
}

function describeWhoMayStay(found: Found): void {
  // E42
  test('the conditions of sharing hold while Services change, and only who breaks them must go', async () => {
    await using town = await foundShared(found);
    const ip = '198.51.100.1';
    await town.service('b', sharing('k', 443, { selector: { app: 'a' } }));
    await town.gets('b', ip);
    await town.edit('b', { spec: { externalTrafficPolicy: 'Local' } });
    await town.told('b', 'PoolExhausted');
    await town.settle();
    assert.equal(await town.ips('a'), ip);
    await town.edit('a', { spec: { externalTrafficPolicy: 'Local' } });
    await town.gets('b', ip);
    assert.equal(await town.ips('a'), ip);
    await town.edit('a', { spec: { selector: { app: 'changed' } } });
    await town.told('a', 'PoolExhausted');
    assert.equal(await town.ips('b'), ip);
    await town.edit('b', { spec: { selector: { app: 'changed' } } });
    await town.gets('a', ip);
    assert.equal(await town.ips('b'), ip);
  });

  // TestAssignment: a key or a backend that changes while the address is shared
  test('who breaks the conditions moves to a free address, and the other one stays', async () => {
    for (const change of [sharing('other', 443), { spec: local('b') }, sharing('k', 80)]) {
      await using town = await foundShared(found);
      await town.service('b', sharing('k', 443));
      await town.gets('b', '198.51.100.1');
      await town.pool('one', '198.51.100.1-198.51.100.2');
      await town.edit('b', change);
      await town.gets('b', '198.51.100.2');
      assert.equal(await town.ips('a'), '198.51.100.1');
    }
  });

  // TestAssignment: moving away to a free address
  test('who asks for another address leaves the shared one to the rest', async () => {
    await using town = await foundShared(found);
    await town.service('b', sharing('k', 443));
    await town.gets('b', '198.51.100.1');
    await town.pool('one', '198.51.100.1-198.51.100.9');
    await town.edit('a', addresses('198.51.100.9'));
    await town.gets('a', '198.51.100.9');
    await town.service('c', sharing('k', 80));
    await town.gets('c', '198.51.100.1');
    assert.equal(await town.ips('b'), '198.51.100.1');
  });
}
