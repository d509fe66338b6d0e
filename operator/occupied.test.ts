import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Occupied } from '../crds/pool.ts';
import type { Node } from '../kube/object.ts';
import { formatRange } from '../net/range.ts';
import { occupiedByNode, occupiedByServices, occupyModel } from './occupied.ts';
import { poolSize } from './pool-addresses.ts';
import { pool, range, request, Town } from './testing/town.ts';

const model = (ranges: string, occupied: readonly Occupied[]) =>
  occupyModel(
    { pools: [pool('lan', ranges)], advertisements: [], problems: [] },
    occupied,
    'metallb-system',
  );

const told = (occupied: readonly Occupied[]) =>
  occupied.map((one) => `${formatRange(one.range)} ${one.by}`);

const node = (addresses: readonly string[], podCIDRs: readonly string[] = []): Node => ({
  metadata: { name: 'a' },
  spec: { podCIDRs },
  status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) },
});

test('a node has its addresses and the network of its Pods', () => {
  const occupied = occupiedByNode(
    node(['198.51.100.11', '2001:db8::11', 'a.example'], ['203.0.113.0/25', 'odd']),
  );
  assert.deepEqual(told(occupied), [
    '198.51.100.11 an address of node a',
    '2001:db8::11 an address of node a',
    '203.0.113.0-203.0.113.127 the Pod network of node a',
  ]);
});

test('Services have the networks of their cluster addresses', () => {
  const cidr = { metadata: { name: 'kubernetes' }, spec: { cidrs: ['203.0.113.0/24'] } };
  assert.deepEqual(told(occupiedByServices(cidr)), [
    '203.0.113.0-203.0.113.255 ServiceCIDR kubernetes',
  ]);
});

test('what a node has is handed out to nobody, and counts as no room', () => {
  const { pools } = model('198.51.100.1-198.51.100.3', occupiedByNode(node(['198.51.100.1'])));
  const town = new Town(pools);
  assert.deepEqual(
    pools.map((each) => poolSize(each).IPv4),
    [2n],
  );
  assert.equal(town.serve(request('a')), '198.51.100.2');
  const pinned = { annotations: { 'metallb.io/loadBalancerIPs': '198.51.100.1' } };
  assert.deepEqual(town.decide(request('b', pinned)), {
    kind: 'refuse',
    refusal: {
      reason: 'AddressOccupied',
      detail: '198.51.100.1 of pool lan is an address of node a',
    },
  });
});

test('an address stays with its Service when a node comes up with it, and the reason says so', () => {
  const town = new Town([pool('lan', '198.51.100.1-198.51.100.3')]);
  town.serve(request('a'));
  town.pools = model('198.51.100.1-198.51.100.3', occupiedByNode(node(['198.51.100.1']))).pools;
  assert.deepEqual(town.decide(request('a')), {
    kind: 'refuse',
    refusal: {
      reason: 'AddressDraining',
      detail: '198.51.100.1 of pool lan is an address of node a',
    },
  });
  assert.equal(town.serve(request('a')), '198.51.100.1');
});

test('a pool in a network of the cluster is told, a single address of a node is not', () => {
  const own: Occupied = { range: range('198.51.100.1'), by: 'an address of node a' };
  const pods: Occupied = {
    range: range('198.51.100.128-198.51.100.255'),
    by: 'the Pod network of node a',
  };
  const problemsOf = (occupied: readonly Occupied[]) =>
    model('198.51.100.0-198.51.100.200', occupied).problems.map(
      ({ reason, detail }) => `${reason}: ${detail}`,
    );
  assert.deepEqual(problemsOf([own]), []);
  assert.deepEqual(problemsOf([pods]), [
    'OccupiedNetwork: spec.addresses shares 198.51.100.128-198.51.100.200 with the Pod network of node a: take it out; nobody gets an address of it',
  ]);
});

test('what lies outside a pool leaves it as it is', () => {
  const lan = pool('lan', '198.51.100.1-198.51.100.3');
  const written = { pools: [lan], advertisements: [], problems: [] };
  const { pools } = occupyModel(written, occupiedByNode(node(['198.51.100.4'])), 'metallb-system');
  assert.equal(pools[0], lan);
});
