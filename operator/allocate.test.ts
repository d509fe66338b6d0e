import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ServiceSpec } from '../kube/object.ts';
import { dualStack, pool, range, request, Town } from './testing/town.ts';

const lan = pool('lan', '198.51.100.1-198.51.100.3');
const wants = (ips: string) => ({ annotations: { 'metallb.io/loadBalancerIPs': ips } });
const fromPool = (name: string) => ({ annotations: { 'metallb.io/address-pool': name } });
const closed = (name: string) =>
  ({ kind: 'IPAddressPool', name, reason: 'OverlappingPools', detail: 'it overlaps' }) as const;
const sharing = (key: string, port: number, spec: ServiceSpec = {}) => ({
  annotations: { 'metallb.io/allow-shared-ip': key },
  spec: { ports: [{ protocol: 'TCP', port }], ...spec },
});

function reasonOf(town: Town, wish: Parameters<Town['decide']>[0]): string {
  const decision = town.decide(wish);
  return 'refusal' in decision ? `${decision.kind} ${decision.refusal.reason}` : decision.kind;
}

describe('a Service that asks for nothing special', () => {
  // MetalLB: TestAssignment (asked again), TestControllerMutation (asks for nothing)
  test('gets the lowest free address, and keeps it', () => {
    const town = new Town([lan]);
    assert.equal(town.serve(request('a')), '198.51.100.1');
    assert.equal(town.serve(request('b')), '198.51.100.2');
    assert.deepEqual(town.decide(request('a')), { kind: 'keep', pool: 'lan' });
  });

  // MetalLB: TestPoolAllocation, TestAllocation
  test('is refused with the pool named when all is in use, and served when one is free again', () => {
    const town = new Town([lan]);
    for (const name of ['a', 'b', 'c']) town.serve(request(name));
    assert.deepEqual(town.decide(request('d')), {
      kind: 'refuse',
      refusal: { reason: 'PoolExhausted', detail: 'pool lan: 3 of 3 IPv4 addresses in use' },
    });
    town.drop('default/b');
    assert.equal(town.serve(request('d')), '198.51.100.2');
  });

  test('is told when there is no pool, or none for it', () => {
    assert.equal(reasonOf(new Town([]), request('a')), 'refuse NoPoolForService');
    const asked = pool('asked', '198.51.100.9', { autoAssign: false });
    assert.equal(reasonOf(new Town([asked]), request('a')), 'refuse NoPoolForService');
    const six = pool('six', '2001:db8::1-2001:db8::9');
    assert.equal(reasonOf(new Town([six]), request('a')), 'refuse PoolLacksFamily');
  });

  // MetalLB: TestBuggyIPs
  test('never gets an address that ends in .0 or .255 where the pool avoids them', () => {
    const edge = pool('edge', '198.51.100.254-198.51.101.1', { avoidBuggyIPs: true });
    const town = new Town([edge]);
    assert.equal(town.serve(request('a')), '198.51.100.254');
    assert.equal(town.serve(request('b')), '198.51.101.1');
    assert.equal(reasonOf(town, request('c')), 'refuse PoolExhausted');
    const { refusal } = town.decide(request('c')) as { refusal: { detail: string } };
    assert.match(refusal.detail, /2 of 2 IPv4/);
  });

  test('does not get an address that was just released while others are free', () => {
    const town = new Town([lan], 60_000);
    town.serve(request('a'));
    town.drop('default/a');
    assert.equal(town.serve(request('b')), '198.51.100.2');
    town.serve(request('c'));
    assert.equal(town.serve(request('d')), '198.51.100.1', 'the only free one does not wait');
    town.drop('default/b');
    town.nowMs = 60_000;
    town.drop('default/c');
    assert.equal(town.serve(request('e')), '198.51.100.2', 'its rest is over');
  });
});

describe('a Service that names an address', () => {
  // MetalLB: TestControllerMutation (a named address, autoAssign false)
  test('gets exactly that one, also from a pool that is not assigned automatically', () => {
    const town = new Town([pool('asked', '198.51.100.1-198.51.100.9', { autoAssign: false })]);
    assert.equal(town.serve(request('a', wants('198.51.100.7'))), '198.51.100.7');
    const inSpec = request('b', { spec: { loadBalancerIP: '198.51.100.8' } });
    assert.equal(town.serve(inSpec), '198.51.100.8');
  });

  // MetalLB: TestAssignment (taken, another one, freed)
  test('is refused when another holds it, and keeps what it has', () => {
    const town = new Town([lan]);
    town.serve(request('web'));
    town.serve(request('dns'));
    assert.deepEqual(town.decide(request('dns', wants('198.51.100.1'))), {
      kind: 'refuse',
      refusal: {
        reason: 'AddressTaken',
        detail:
          '198.51.100.1 cannot be had: it is held by default/web, and not both Services allow sharing',
      },
    });
    assert.equal(town.serve(request('dns', wants('198.51.100.1'))), '198.51.100.2');
  });

  // MetalLB: TestControllerMutation (address and pool do not agree), TestPoolAllocation (unknown pool)
  test('is refused outside all pools, outside the named pool, and in an unknown pool', () => {
    const town = new Town([lan, pool('other', '203.0.113.9')]);
    assert.equal(reasonOf(town, request('a', wants('192.0.2.1'))), 'refuse AddressOutsidePools');
    const annotations = { ...wants('198.51.100.1').annotations, ...fromPool('other').annotations };
    assert.equal(reasonOf(town, request('a', { annotations })), 'refuse PoolMismatch');
    assert.equal(reasonOf(town, request('a', fromPool('nowhere'))), 'refuse PoolUnknown');
  });

  test('moves in one step when the one it names is free', () => {
    const town = new Town([lan]);
    town.serve(request('a'));
    assert.equal(town.serve(request('a', wants('198.51.100.3'))), '198.51.100.3');
    assert.equal(town.serve(request('b')), '198.51.100.1');
  });

  test('keeps its pair in the order in which it holds it', () => {
    const both = pool('both', ['198.51.100.1-198.51.100.9', '2001:db8::1-2001:db8::9']);
    const town = new Town([both]);
    const pinned = (ips: string) =>
      request('a', { ...dualStack('RequireDualStack'), ...wants(ips) });
    assert.equal(town.serve(pinned('2001:db8::5,198.51.100.5')), '2001:db8::5 198.51.100.5');
    assert.equal(town.decide(pinned('198.51.100.5, 2001:db8::5')).kind, 'keep');
  });
});

describe('a Service that holds an address', () => {
  // MetalLB: TestConfigReload (expand)
  test('keeps it when the pool grows, closes, or a better pool appears', () => {
    const town = new Town([lan]);
    town.serve(request('a'));
    town.pools = [pool('aaa', '203.0.113.1-203.0.113.9'), pool('lan', '198.51.100.0-198.51.100.9')];
    assert.equal(town.serve(request('a')), '198.51.100.1');
    town.pools = [{ ...lan, closed: closed('lan') }];
    assert.equal(town.serve(request('a')), '198.51.100.1');
    assert.equal(reasonOf(town, request('b')), 'refuse PoolClosed');
  });

  test('keeps it without a pool, until it is reclaimed and another pool can replace it', () => {
    const town = new Town([lan]);
    town.serve(request('a'));
    town.pools = [];
    assert.equal(town.serve(request('a')), '198.51.100.1');
    assert.deepEqual(town.decide(request('a')), {
      kind: 'refuse',
      refusal: {
        reason: 'AddressDraining',
        detail: 'no pool contains 198.51.100.1 any more',
      },
    });
    town.pools = [pool('other', '203.0.113.9')];
    assert.equal(town.serve(request('a')), '198.51.100.1');
    const reclaimed = [range('198.51.100.0-198.51.100.255')];
    town.pools = [pool('full', [], { reclaimed })];
    assert.equal(town.serve(request('a')), '198.51.100.1');
    town.pools = [pool('other', '203.0.113.9', { reclaimed })];
    assert.equal(town.serve(request('a')), '203.0.113.9');
  });

  test('keeps it while the object of its pool cannot be read', () => {
    const town = new Town([lan]);
    town.serve(request('a'));
    town.pools = [{ ...lan, ranges: [], closed: closed('lan') }, pool('other', '203.0.113.9')];
    assert.equal(town.serve(request('a')), '198.51.100.1');
  });

  test('goes by the new name of its pool', () => {
    const town = new Town([lan]);
    town.serve(request('a'));
    town.pools = [{ ...lan, name: 'office' }];
    assert.deepEqual(town.decide(request('a')), { kind: 'keep', pool: 'office' });
  });

  test('moves to the pool it now names, and stays when that has nothing for it', () => {
    const town = new Town([lan, pool('other', '203.0.113.9')]);
    town.serve(request('a', fromPool('other')));
    town.serve(request('b'));
    assert.equal(town.serve(request('b', fromPool('other'))), '198.51.100.1');
    town.drop('default/a');
    assert.equal(town.serve(request('b', fromPool('other'))), '203.0.113.9');
  });

  test('is not moved because its pool is not for its namespace any more', () => {
    const mine = pool('mine', '198.51.100.1', {
      allocation: { namespaceSelectors: [[{ key: 'team', operator: 'Exists', values: [] }]] },
    });
    const town = new Town([mine, pool('other', '203.0.113.9')]);
    town.namespaceLabels = { team: 'red' };
    assert.equal(town.serve(request('a')), '198.51.100.1');
    town.namespaceLabels = undefined;
    assert.equal(town.serve(request('a')), '198.51.100.1');
    town.namespaceLabels = {};
    assert.equal(town.serve(request('a')), '198.51.100.1');
    assert.equal(reasonOf(town, request('a')), 'refuse AddressDraining');
    town.pools = [...town.pools, pool('word', [], { reclaimed: [range('198.51.100.1')] })];
    town.namespaceLabels = undefined;
    assert.equal(town.serve(request('a')), '198.51.100.1');
    town.namespaceLabels = {};
    assert.equal(town.serve(request('a')), '203.0.113.9');
  });
});

describe('sharing one address', () => {
  const one = pool('one', '198.51.100.1');
  const local: ServiceSpec = { externalTrafficPolicy: 'Local', selector: { app: 'web' } };

  // MetalLB: TestAssignment (sharing)
  test('needs the same key and different ports', () => {
    const town = new Town([one]);
    assert.equal(town.serve(request('a', sharing('k', 80))), '198.51.100.1');
    assert.equal(town.serve(request('b', sharing('k', 443))), '198.51.100.1');
    assert.equal(reasonOf(town, request('c', sharing('k', 80))), 'refuse PoolExhausted');
    assert.equal(reasonOf(town, request('d', sharing('other', 90))), 'refuse PoolExhausted');
    assert.equal(reasonOf(town, request('e')), 'refuse PoolExhausted');
  });

  // MetalLB: TestAssignment (another backend)
  test('needs the same traffic policy, and with Local the same selector', () => {
    const town = new Town([one]);
    town.serve(request('a', sharing('k', 80, local)));
    assert.equal(reasonOf(town, request('b', sharing('k', 81))), 'refuse PoolExhausted');
    const other = { ...local, selector: { app: 'dns' } };
    assert.equal(reasonOf(town, request('c', sharing('k', 82, other))), 'refuse PoolExhausted');
    assert.equal(town.serve(request('d', sharing('k', 83, local))), '198.51.100.1');
  });

  test('works across protocols on one port', () => {
    const town = new Town([one]);
    town.serve(request('tcp', sharing('k', 53)));
    const ports = [{ protocol: 'UDP', port: 53 }];
    assert.equal(town.serve(request('udp', sharing('k', 53, { ports }))), '198.51.100.1');
  });

  test('is preferred to a free address', () => {
    const town = new Town([lan]);
    town.serve(request('x'));
    town.serve(request('a', sharing('k', 80)));
    town.drop('default/x');
    assert.equal(town.serve(request('b', sharing('k', 81))), '198.51.100.2');
  });

  test('ends for the one who breaks the conditions, never for the other', () => {
    const town = new Town([one]);
    town.serve(request('a', sharing('k', 80)));
    town.serve(request('b', sharing('k', 81)));
    assert.equal(reasonOf(town, request('b', sharing('k', 80))), 'release AddressTaken');
    assert.equal(town.serve(request('b', sharing('k', 80))), '');
    assert.equal(town.serve(request('a', sharing('k', 80))), '198.51.100.1');
  });

  test('moves the one who breaks the conditions where there is room', () => {
    const town = new Town([lan]);
    town.serve(request('a', sharing('k', 80)));
    town.serve(request('b', sharing('k', 81)));
    assert.equal(town.serve(request('b', sharing('k', 81, local))), '198.51.100.2');
  });
});

describe('IP families', () => {
  const four = pool('four', '198.51.100.1-198.51.100.9');
  const six = pool('six', '2001:db8::1-2001:db8::9');
  const both = pool('both', ['203.0.113.1-203.0.113.9', '2001:db8:1::1-2001:db8:1::9']);

  // MetalLB: TestAssignment (two pools for a pair), TestPoolAllocation
  test('RequireDualStack takes both from one pool, or nothing', () => {
    const wish = request('a', dualStack('RequireDualStack'));
    assert.equal(reasonOf(new Town([four, six]), wish), 'refuse PoolLacksFamily');
    assert.equal(new Town([four, six, both]).serve(wish), '203.0.113.1 2001:db8:1::1');
  });

  // MetalLB: TestPoolAllocation, E51–E53
  test('PreferDualStack takes a pool with both, else the preferred family', () => {
    const wish = request('a', dualStack('PreferDualStack'));
    assert.equal(new Town([both, four, six]).serve(wish), '203.0.113.1 2001:db8:1::1');
    assert.equal(new Town([four, six]).serve(wish), '198.51.100.1');
    assert.equal(new Town([six]).serve(wish), '2001:db8::1');
    const sixFirst = request('a', dualStack('PreferDualStack', 'IPv6', 'IPv4'));
    assert.equal(new Town([four, six]).serve(sixFirst), '2001:db8::1');
  });

  test('the second address is added when the pool has one, and never from another pool', () => {
    const wish = request('a', dualStack('PreferDualStack'));
    const town = new Town([four]);
    town.serve(wish);
    town.pools = [four, both];
    assert.equal(town.serve(wish), '198.51.100.1');
    town.pools = [pool('four', ['198.51.100.1-198.51.100.9', '2001:db8::1'])];
    assert.equal(town.serve(wish), '198.51.100.1 2001:db8::1');
  });

  test('a pool that loses a family drains, and when reclaimed is replaced for both at once', () => {
    const wish = request('a', dualStack('PreferDualStack'));
    const town = new Town([both]);
    town.serve(wish);
    town.pools = [pool('both', '203.0.113.1-203.0.113.9')];
    assert.equal(town.serve(wish), '203.0.113.1 2001:db8:1::1');
    assert.equal(reasonOf(town, wish), 'refuse AddressDraining');
    const reclaimed = [range('2001:db8:1::1')];
    town.pools = [pool('both', '203.0.113.1-203.0.113.9', { reclaimed })];
    assert.equal(town.serve(wish), '203.0.113.1 2001:db8:1::1');
    town.pools = [...town.pools, pool('next', ['198.51.100.5', '2001:db8:2::5'])];
    assert.equal(town.serve(wish), '198.51.100.5 2001:db8:2::5');
  });

  test('a Service that turns single-stack gives the other address back and keeps its own', () => {
    const town = new Town([both]);
    town.serve(request('a', dualStack('RequireDualStack')));
    assert.equal(town.serve(request('a')), '203.0.113.1');
    assert.deepEqual(town.ledger.inUse('both'), { IPv4: 1, IPv6: 0 });
  });

  test('Prefer turned Require keeps the one address and says what is missing', () => {
    const town = new Town([four]);
    town.serve(request('a', dualStack('PreferDualStack')));
    assert.equal(
      reasonOf(town, request('a', dualStack('RequireDualStack'))),
      'refuse PoolLacksFamily',
    );
    assert.equal(town.held('default/a'), '198.51.100.1');
  });
});
