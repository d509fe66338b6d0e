import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pool } from '../crds/pool.ts';
import type { Selector } from '../crds/selector.ts';
import { choosePools } from './choose.ts';
import { pool, request, type ServiceCase } from './testing/town.ts';

const has = (key: string): Selector => [{ key, operator: 'Exists', values: [] }];
const lan = '198.51.100.1-198.51.100.9';

function chosen(pools: readonly Pool[], extra: ServiceCase = {}, labels = {}): string {
  const choice = choosePools(request('a', extra), pools, labels);
  return choice.kind === 'pools'
    ? choice.pools.map(({ name }) => name).join(' ')
    : choice.refusal.reason;
}

// MetalLB: E45, E46, TestControllerMutation (by priority)
test('pools meant for the Service come first, by priority, then those for everybody, by name', () => {
  const pools = [
    pool('b-open', lan),
    pool('a-open', lan),
    pool('none', lan, { allocation: { priority: 0 } }),
    pool('twenty', lan, { allocation: { priority: 20 } }),
    pool('ten-b', lan, { allocation: { priority: 10 } }),
    pool('ten-a', lan, { allocation: { priority: 10 } }),
  ];
  const order = 'ten-a ten-b twenty none a-open b-open';
  assert.equal(chosen(pools), order);
  assert.equal(chosen(pools.toReversed()), order);
});

// MetalLB: TestAutoAssign
test('a pool not assigned automatically is drawn from only by name or address', () => {
  const asked = pool('asked', lan, { autoAssign: false });
  assert.equal(chosen([asked]), 'NoPoolForService');
  assert.equal(chosen([asked], { annotations: { 'metallb.io/address-pool': 'asked' } }), 'asked');
  assert.equal(chosen([asked], { spec: { loadBalancerIP: '198.51.100.4' } }), 'asked');
});

// MetalLB: E47–E49
test('namespaces by name and by label add up; labels of the Service narrow them', () => {
  const mine = pool('mine', lan, {
    allocation: { namespaces: new Set(['default']), namespaceSelectors: [has('team')] },
  });
  assert.equal(chosen([mine]), 'mine');
  assert.equal(chosen([mine], { namespace: 'other' }, { team: 'red' }), 'mine');
  assert.equal(chosen([mine], { namespace: 'other' }), 'NoPoolForService');
  const narrow = pool('narrow', lan, {
    allocation: { namespaces: new Set(['default']), serviceSelectors: [has('public'), has('dmz')] },
  });
  assert.equal(chosen([narrow]), 'NoPoolForService');
  assert.equal(chosen([narrow], { labels: { dmz: '' } }), 'narrow');
  assert.equal(chosen([narrow], { labels: { dmz: '' }, namespace: 'x' }), 'NoPoolForService');
});

test('a selector that matches no namespace admits nobody, not even who asks for the pool', () => {
  const nobody = pool('nobody', lan, { allocation: { namespaceSelectors: [has('nowhere')] } });
  assert.equal(chosen([nobody]), 'NoPoolForService');
  const byName = { annotations: { 'metallb.io/address-pool': 'nobody' } };
  assert.equal(chosen([nobody], byName), 'PoolNotForService');
  const byAddress = { spec: { loadBalancerIP: '198.51.100.4' } };
  assert.equal(chosen([nobody], byAddress), 'PoolNotForService');
});

test('a closed pool is passed over, and named where there is no other', () => {
  const detail = 'it overlaps';
  const problem = {
    kind: 'IPAddressPool',
    name: 'shut',
    reason: 'OverlappingPools',
    detail,
  } as const;
  const shut = pool('shut', lan, { closed: problem });
  assert.equal(chosen([shut, pool('open', lan)]), 'open');
  assert.equal(chosen([shut]), 'PoolClosed');
  const byAddress = { spec: { loadBalancerIP: '198.51.100.4' } };
  assert.equal(chosen([shut, pool('open', lan)], byAddress), 'open');
});
