import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nodeNetworkKind } from '../../crds/names.ts';
import type { Foreign } from '../../crds/node-network.ts';
import { until } from '../../daemon/testing/until.ts';
import { kinds } from '../../kube/kinds.ts';
import { conditionType } from '../../operator/status.ts';
import { within } from './retry.ts';
import type { Found, Town } from './town.ts';
import { addresses, sharing } from './wishes.ts';

const mac = '52:54:00:00:00:99';

/** From now on the speaker of a node says that this machine uses these addresses. */
async function see(
  town: Town,
  node: string,
  ...seen: readonly (readonly [address: string, state: Foreign['state']])[]
): Promise<void> {
  const since = '2026-11-21T10:00:00Z';
  const foreign = seen.map(([address, state]) => ({ address, mac, since, state }));
  await town.put(kinds.node, node, {});
  await town.put(nodeNetworkKind, node, { status: { links: [{ name: 'eth0', foreign }] } });
}

async function explanation(town: Town, name: string): Promise<string> {
  const { status } = await town.read(name);
  return status?.conditions?.find(({ type }) => type === conditionType)?.message ?? '';
}

async function hasEvent(town: Town, name: string, event: string): Promise<void> {
  await until(`${name} has the event ${event}`, async () =>
    (await town.events(name)).includes(event),
  );
}

/** What other machines have of a pool: addresses that nobody gets, and those that a Service has, too. */
async function counts(town: Town, pool: string, expected: string): Promise<void> {
  await until(`pool ${pool} counts ${expected}`, async () => {
    const { quarantined, contested } = (await town.readPool(pool)).status ?? {};
    return `${quarantined} ${contested}` === expected;
  });
}

export function describeForeign(found: Found): void {
  describe('an address that another machine uses', () => {
    test('is left by who did not ask for it, and kept by who did', async () => {
      await using town = await found();
      const node = `${town.namespace}-sees`;
      await town.pool('lan', '198.51.100.104-198.51.100.107');
      town.start();
      await town.service('web');
      await town.gets('web', '198.51.100.104');
      await town.service('pinned', addresses('198.51.100.105'));
      await town.gets('pinned', '198.51.100.105');
      await see(town, node, ['198.51.100.104', 'Quarantined'], ['198.51.100.105', 'Quarantined']);
      await within('the move', () => town.gets('web', '198.51.100.106'));
      await town.told('pinned', 'AddressQuarantined', '198.51.100.105');
      assert.match(
        await explanation(town, 'pinned'),
        new RegExp(
          `MAC ${mac} \\(seen by ${node} on eth0\\); it keeps 198\\.51\\.100\\.105\\. Take`,
        ),
      );
      assert.equal(await town.reason('web'), 'IPAllocated');
      await hasEvent(town, 'web', 'Warning AddressQuarantined');
      await hasEvent(town, 'pinned', 'Warning AddressQuarantined');
      await counts(town, 'lan', '2 0');
    });

    test('is given to nobody until no node sees it, and then to who waits for it', async () => {
      await using town = await found();
      const node = `${town.namespace}-sees`;
      await town.pool('lan', '198.51.100.110-198.51.100.110');
      await see(town, node, ['198.51.100.110', 'Quarantined']);
      town.start();
      await town.service('web');
      await town.told('web', 'PoolExhausted');
      await town.service('pinned', addresses('198.51.100.110'));
      await town.told('pinned', 'AddressQuarantined');
      await town.remove('pinned');
      await see(town, node);
      await within('the address', () => town.gets('web', '198.51.100.110'));
    });

    test('is free again when the node that has seen it is gone', async () => {
      await using town = await found();
      const node = `${town.namespace}-goes`;
      await town.pool('lan', '198.51.100.112-198.51.100.112');
      await see(town, node, ['198.51.100.112', 'Quarantined']);
      town.start();
      await town.service('web');
      await town.told('web', 'PoolExhausted');
      // Its NodeNetwork may stay behind.
      await town.take(kinds.node, node);
      await town.gets('web', '198.51.100.112');
    });

    test('stays with a Service for which there is no other, until there is', async () => {
      await using town = await found();
      const node = `${town.namespace}-sees`;
      await town.pool('lan', '198.51.100.114-198.51.100.114');
      town.start();
      await town.service('web');
      await town.gets('web', '198.51.100.114');
      await see(town, node, ['198.51.100.114', 'Quarantined']);
      await town.told('web', 'AddressQuarantined', '198.51.100.114');
      await town.pool('more', '198.51.100.116-198.51.100.116');
      await within('the move', () => town.gets('web', '198.51.100.116'));
      await see(town, node);
      await town.settle();
      assert.equal(await town.ips('web'), '198.51.100.116');
    });

    test('moves nobody where one machine has most of the pool, which says so', async () => {
      await using town = await found();
      await town.pool('lan', '198.51.100.120-198.51.100.123');
      town.start();
      await town.service('web');
      await town.gets('web', '198.51.100.120');
      await see(
        town,
        `${town.namespace}-sees`,
        ['198.51.100.120', 'Quarantined'],
        ['198.51.100.121', 'Quarantined'],
        ['198.51.100.122', 'Quarantined'],
      );
      await town.told('web', 'AddressQuarantined', '198.51.100.120');
      await until('the pool is told', async () => {
        const { status } = await town.readPool('lan');
        const ready = status?.conditions?.find(({ type }) => type === 'Ready');
        return ready?.reason === 'PoolQuarantined' && ready.message.includes(mac);
      });
    });
  });

  describe('an address that another machine claims while a node answers for it', () => {
    test('stays with who has it, and may be shared', async () => {
      await using town = await found();
      const node = `${town.namespace}-holds`;
      await town.pool('lan', '198.51.100.124-198.51.100.127');
      town.start();
      await town.service('web', sharing('key', 80));
      await town.gets('web', '198.51.100.124');
      await see(town, node, ['198.51.100.124', 'Contested']);
      await town.told('web', 'AddressContested', '198.51.100.124');
      assert.match(
        await explanation(town, 'web'),
        new RegExp(`MAC ${mac} \\(seen by ${node} on eth0\\); it keeps 198\\.51\\.100\\.124\\.`),
      );
      await hasEvent(town, 'web', 'Warning AddressContested');
      await town.service('too', sharing('key', 443));
      await town.told('too', 'AddressContested', '198.51.100.124');
      await counts(town, 'lan', '0 1');
      await see(town, node);
      await within('the end of it', () => town.told('web', 'IPAllocated', '198.51.100.124'));
      await town.told('too', 'IPAllocated', '198.51.100.124');
      await counts(town, 'lan', '0 0');
    });
  });
}
