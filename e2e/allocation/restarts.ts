import type { Found } from './town.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { addresses, dualStack, fromPool } from './wishes.ts';

export function describeRestarts(found: Found): void {
  describe('restarts of the operator', () => {
    describeSameWorld(found);
    describeChangedWorld(found);
  });
}

function describeSameWorld(found: Found): void {
  // E41
  test('five restarts, clean or not, move nobody of a full pool and write nothing on them', async () => {
    await using town = await found();
    await town.pool('lan', '198.51.100.0/31');
    let operator = town.start();
    const held = ['198.51.100.0', '198.51.100.1'];
    for (const [index, ip] of held.entries()) {
      await town.service(`held-${index}`);
      await town.gets(`held-${index}`, ip);
    }
    for (const name of ['waits-0', 'waits-1']) {
      await town.service(name);
      await town.told(name, 'PoolExhausted');
    }
    const names = ['held-0', 'held-1', 'waits-0', 'waits-1'];
    const before = await Promise.all(names.map((name) => town.read(name)));
    for (let round = 0; round < 5; round++) {
      await (round % 2 === 0 ? operator.stop() : operator.kill());
      operator = town.start();
      await town.settle();
      const after = await Promise.all(names.map((name) => town.read(name)));
      assert.deepEqual(after, before);
    }
    await town.remove('held-0');
    await town.gets('waits-0', '198.51.100.0');
    assert.equal(await town.ips('waits-1'), '');
  });

  // TestControllerDualStackConfig
  test('a pair stays as it is written, whichever family comes first', async () => {
    await using town = await found();
    await town.pool('lan', ['198.51.100.0/24', '2001:db8::/120']);
    const first = town.start();
    const { spec = {} } = dualStack('RequireDualStack');
    const asked = ['198.51.100.5,2001:db8::5', '2001:db8::6,198.51.100.6'];
    for (const [index, ips] of asked.entries()) {
      await town.service(`s${index}`, { ...addresses(ips), spec });
      await town.gets(`s${index}`, ips.replace(',', ' '));
    }
    await first.stop();
    town.start();
    await town.settle();
    for (const [index, ips] of asked.entries())
      assert.equal(await town.ips(`s${index}`), ips.replace(',', ' '));
  });
}

function describeChangedWorld(found: Found): void {
  // TestControllerConfig: no pools, an empty configuration, pools that come and go
  test('an operator that finds no pools touches nobody, and serves as soon as there is one', async () => {
    await using town = await found();
    await town.service('held');
    await town.writeStatus('held', { ip: '198.51.100.7' });
    await town.service('waits');
    const first = town.start();
    await town.told('waits', 'NoPoolForService');
    await town.told('held', 'AddressDraining', '198.51.100.7');
    await first.stop();
    await town.pool('lan', '198.51.100.7-198.51.100.8');
    town.start();
    await town.told('held', 'IPAllocated', '198.51.100.7');
    await town.gets('waits', '198.51.100.8');
    assert.equal(await town.poolOf('held'), 'lan');
  });

  test('what was deleted, asked for and edited while no operator ran counts at the next start', async () => {
    await using town = await found();
    await town.pool('lan', '198.51.100.1-198.51.100.2');
    const first = town.start();
    for (const [name, ip] of [
      ['gone', '198.51.100.1'],
      ['turned', '198.51.100.2'],
    ] as const) {
      await town.service(name);
      await town.gets(name, ip);
    }
    await first.kill();
    await town.remove('gone');
    await town.edit('turned', { spec: { type: 'ClusterIP' } });
    for (const ip of ['198.51.100.1', '198.51.100.2']) {
      await town.service(`pinned-${ip.at(-1)}`, { ...addresses(ip) });
    }
    await town.pool('other', '203.0.113.1/32', { autoAssign: false });
    await town.service('named', fromPool('other'));
    town.start();
    await town.gets('pinned-1', '198.51.100.1');
    await town.gets('pinned-2', '198.51.100.2');
    await town.gets('named', '203.0.113.1');
    await town.gets('turned', '');
    assert.equal(await town.poolOf('turned'), undefined);
  });

  // TestControllerMutation: addresses in the status that no pool gives, a host name
  test('what stands in a status at the start stays if it is an address, and goes if it is none', async () => {
    await using town = await found();
    await town.pool('lan', '198.51.100.0/24');
    await town.service('foreign');
    await town.writeStatus('foreign', { ip: '203.0.113.9' });
    await town.service('named');
    await town.writeStatus('named', { hostname: 'lb.example.com' });
    town.start();
    await town.told('foreign', 'AddressDraining', '203.0.113.9');
    await town.gets('named', '198.51.100.0');
  });
}
