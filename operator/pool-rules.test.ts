import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { rehome } from './adopt.ts';
import type { Reason } from './reasons.ts';
import { address, pool, range, request, type ServiceCase, Town } from './testing/town.ts';

const pinned = (ip: string): ServiceCase => ({
  annotations: { 'metallb.io/loadBalancerIPs': ip },
});

/** Why a Service gets nothing new. */
function refused(town: Town, name: string, extra: ServiceCase = {}): Reason | undefined {
  const decision = town.decide(request(name, extra));
  return decision.kind === 'refuse' ? decision.refusal.reason : undefined;
}

describe('what a pool excludes', () => {
  const excluded = [range('198.51.100.1-198.51.100.2')];
  const town = () => new Town([pool('lan', '198.51.100.1-198.51.100.4', { excluded })]);

  test('is handed out to nobody', () => {
    const lan = town();
    assert.equal(lan.serve(request('a')), '198.51.100.3');
    assert.equal(lan.serve(request('b')), '198.51.100.4');
    assert.equal(refused(lan, 'c'), 'PoolExhausted');
    assert.equal(refused(lan, 'd', pinned('198.51.100.1')), 'AddressExcluded');
  });

  test('stays with who has it already', () => {
    const lan = new Town([pool('lan', '198.51.100.1-198.51.100.4')]);
    lan.serve(request('a', pinned('198.51.100.1')));
    lan.pools = town().pools;
    assert.equal(lan.serve(request('a', pinned('198.51.100.1'))), '198.51.100.1');
  });
});

describe('a reservation', () => {
  const reservations = new Map([['default/web', [address('198.51.100.2')]]]);
  const town = (extra = {}) =>
    new Town([pool('lan', '198.51.100.1-198.51.100.3', { reservations, ...extra })]);

  test('gives its Service that address, whenever it comes, and nobody else', () => {
    const lan = town();
    assert.equal(lan.serve(request('a')), '198.51.100.1');
    assert.equal(lan.serve(request('b')), '198.51.100.3');
    assert.equal(refused(lan, 'c'), 'PoolExhausted');
    assert.equal(refused(lan, 'd', pinned('198.51.100.2')), 'AddressReserved');
    assert.equal(lan.serve(request('web')), '198.51.100.2');
    lan.drop('default/web');
    assert.equal(refused(lan, 'c'), 'PoolExhausted');
    assert.equal(lan.serve(request('web')), '198.51.100.2');
  });

  test('is shared with nobody for whom it is not, by chance or on request', () => {
    const sharing = (port: number, ip?: string): ServiceCase => ({
      annotations: {
        'metallb.io/allow-shared-ip': 'key',
        ...(ip === undefined ? {} : pinned(ip).annotations),
      },
      spec: { ports: [{ port }] },
    });
    const lan = town();
    assert.equal(lan.serve(request('web', sharing(80))), '198.51.100.2');
    assert.equal(lan.serve(request('a', sharing(443))), '198.51.100.1');
    assert.equal(refused(lan, 'b', sharing(443, '198.51.100.2')), 'AddressReserved');
  });

  test('is for one namespace: another Service of that name has none', () => {
    assert.equal(town().serve(request('web', { namespace: 'shop' })), '198.51.100.1');
  });

  test('counts in a pool that gives nothing by itself, and before any other pool', () => {
    const first = pool('a-pool', '203.0.113.1-203.0.113.9');
    const kept = town({ autoAssign: false }).pools;
    assert.equal(new Town([first, ...kept]).serve(request('web')), '198.51.100.2');
  });

  test('is what pinning needs where a pool says so', () => {
    const lan = town({ pinningReserved: true });
    assert.equal(refused(lan, 'a', pinned('198.51.100.1')), 'PinningReserved');
    assert.equal(lan.serve(request('web', pinned('198.51.100.2'))), '198.51.100.2');
    assert.equal(lan.serve(request('a')), '198.51.100.1');
  });

  test('moves nobody who has another address', () => {
    const lan = new Town([pool('lan', '198.51.100.1-198.51.100.3')]);
    assert.equal(lan.serve(request('web')), '198.51.100.1');
    lan.pools = town().pools;
    assert.equal(lan.serve(request('web')), '198.51.100.1');
  });
});

describe('a quota', () => {
  const shop = { namespace: 'shop' };
  const town = (most: number) =>
    new Town([pool('lan', '198.51.100.1-198.51.100.9', { allocation: { maxPerNamespace: most } })]);

  test('is the most addresses that one namespace has, whatever the others have', () => {
    const lan = town(2);
    for (const name of ['a', 'b']) lan.serve(request(name, shop));
    assert.equal(refused(lan, 'c', shop), 'QuotaReached');
    assert.equal(lan.serve(request('c')), '198.51.100.3');
    lan.drop('shop/a');
    assert.equal(lan.serve(request('c', shop)), '198.51.100.1');
  });

  test('counts an address that its Services share once', () => {
    const sharing = (port: number): ServiceCase => ({
      ...shop,
      annotations: { 'metallb.io/allow-shared-ip': 'key' },
      spec: { ports: [{ port }] },
    });
    const lan = town(1);
    assert.equal(lan.serve(request('a', sharing(80))), '198.51.100.1');
    assert.equal(lan.serve(request('b', sharing(443))), '198.51.100.1');
    lan.drop('shop/a');
    assert.equal(refused(lan, 'c', shop), 'QuotaReached');
  });

  test('keeps nobody from changing an address for another', () => {
    const lan = town(1);
    lan.serve(request('a', shop));
    assert.equal(lan.serve(request('a', { ...shop, ...pinned('198.51.100.5') })), '198.51.100.5');
  });

  test('counts what the addresses’ pool has given under another name', () => {
    const lan = town(1);
    lan.serve(request('a', shop));
    lan.pools = town(1).pools.map((each) => ({ ...each, name: 'office' }));
    rehome(lan.pools, lan.ledger);
    assert.equal(refused(lan, 'b', shop), 'QuotaReached');
    assert.deepEqual(lan.decide(request('a', shop)), { kind: 'keep', pool: 'office' });
  });

  test('takes nothing from who had more before', () => {
    const lan = town(3);
    for (const name of ['a', 'b', 'c']) lan.serve(request(name, shop));
    lan.pools = town(1).pools;
    for (const name of ['a', 'b', 'c']) assert.notEqual(lan.serve(request(name, shop)), '');
    assert.equal(refused(lan, 'd', shop), 'QuotaReached');
  });

  test('holds for who asks for several by value: those it has already count, in whatever order', () => {
    const lan = town(1);
    const two = pinned('198.51.100.5, 198.51.100.6');
    assert.equal(refused(lan, 'a', { ...shop, ...two }), 'QuotaReached');
    assert.equal(lan.serve(request('a', { ...shop, ...pinned('198.51.100.6') })), '198.51.100.6');
    assert.equal(refused(lan, 'a', { ...shop, ...two }), 'QuotaReached');
    assert.equal(town(2).serve(request('a', { ...shop, ...two })), '198.51.100.5 198.51.100.6');
  });

  test('lets who had more before have fewer by value', () => {
    const lan = town(3);
    lan.serve(request('a', { ...shop, ...pinned('198.51.100.5, 198.51.100.6') }));
    lan.serve(request('b', shop));
    lan.pools = town(1).pools;
    assert.equal(lan.serve(request('a', { ...shop, ...pinned('198.51.100.6') })), '198.51.100.6');
  });

  test('counts what a Service shares with its namespace once where it asks for several, too', () => {
    const sharing = (port: number, count: string): ServiceCase => ({
      ...shop,
      annotations: { 'metallb.io/allow-shared-ip': 'key', 'metallb.io/address-count': count },
      spec: { ports: [{ port }] },
    });
    const lan = town(2);
    assert.equal(lan.serve(request('a', sharing(80, '1'))), '198.51.100.1');
    assert.equal(lan.serve(request('b', sharing(443, '2'))), '198.51.100.1 198.51.100.2');
    assert.equal(refused(lan, 'c', sharing(53, '3')), 'QuotaReached');
  });

  test('holds for who asks by value, too', () => {
    const lan = town(1);
    lan.serve(request('a', shop));
    assert.equal(refused(lan, 'b', { ...shop, ...pinned('198.51.100.5') }), 'QuotaReached');
  });
});
