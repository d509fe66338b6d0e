import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Advertisement } from '../crds/advertisement.ts';
import { readModel } from '../crds/model.ts';
import type { Occupied } from '../crds/pool.ts';
import type { Range } from '../net/range.ts';
import { describeWithheld, placeModel } from './ground.ts';
import { poolSize } from './pool-addresses.ts';
import { findUnreachable } from './reach.ts';
import { address, pool, range, request, Town } from './testing/town.ts';

type Case = {
  readonly occupied?: readonly Occupied[];
  readonly reach?: readonly Range[];
  readonly advertisements?: readonly Advertisement[];
};

const lan = pool('lan', '198.51.100.1-198.51.100.3');

function place({ occupied = [], reach, advertisements = [] }: Case, pools = [lan]) {
  const ground = { occupied, reach, namespace: 'metallb-system' };
  return placeModel({ pools, advertisements, problems: [] }, ground);
}

const problemsOf = (ground: Case, pools = [lan]): readonly string[] =>
  place(ground, pools).problems.map(({ reason, detail }) => `${reason}: ${detail}`);

const ofNode: Occupied = { range: range('198.51.100.1'), by: 'an address of node a' };

describe('what somebody has already', () => {
  test('is handed out to nobody, and counts as no room', () => {
    const { pools } = place({ occupied: [ofNode] });
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

  test('stays with the Service that has it, which is told', () => {
    const town = new Town([lan]);
    town.serve(request('a'));
    town.pools = place({ occupied: [ofNode] }).pools;
    assert.deepEqual(town.decide(request('a')), {
      kind: 'refuse',
      refusal: {
        reason: 'AddressDraining',
        detail: '198.51.100.1 of pool lan is an address of node a',
      },
    });
    assert.equal(town.serve(request('a')), '198.51.100.1');
  });

  test('is a fault of the pool where it is a whole network, not where it is one address', () => {
    const range24 = range('198.51.100.2-198.51.100.255');
    const pods: Occupied = { range: range24, by: 'the Pod network of node a' };
    assert.deepEqual(problemsOf({ occupied: [ofNode] }), []);
    assert.deepEqual(problemsOf({ occupied: [pods] }), [
      'OccupiedNetwork: spec.addresses has 198.51.100.2-198.51.100.3, which is the Pod network of node a: take it out; nobody gets an address of it',
    ]);
  });

  test('leaves pools as they are where it lies outside', () => {
    const elsewhere: Occupied = { range: range('198.51.100.4'), by: 'an address of node a' };
    assert.equal(place({ occupied: [elsewhere] }).pools[0], lan);
  });
});

describe('addresses that no Service can have', () => {
  test('are handed out to nobody, and what is left of a wider range is', () => {
    const mixed = pool('mixed', [
      '126.255.255.255-127.0.0.9',
      '223.255.255.255-224.0.0.0',
      '::-::2',
      'feff::-ff00::5',
    ]);
    const { pools } = place({}, [mixed]);
    const town = new Town(pools);
    assert.equal(town.serve(request('a')), '126.255.255.255');
    assert.equal(town.serve(request('b')), '223.255.255.255');
    assert.equal(town.serve(request('c')), '');
    assert.deepEqual(
      problemsOf({}, [mixed]).map((text) => text.split(',')[0]),
      [
        'UnusableAddresses: spec.addresses has 127.0.0.0-127.0.0.9',
        'UnusableAddresses: spec.addresses has 224.0.0.0',
        'UnusableAddresses: spec.addresses has ::',
        'UnusableAddresses: spec.addresses has ::1',
        'UnusableAddresses: spec.addresses has ff00::-ff00::5',
      ],
    );
  });

  test("are a fault, and so not told a second time among what is somebody's", () => {
    const [last] = place({}, [pool('last', '255.255.255.254-255.255.255.255')]).pools;
    assert.equal(last && describeWithheld(last), undefined);
  });

  test('leave the pool open', () => {
    const [loop] = place({}, [pool('loop', '127.0.0.1-127.0.0.9')]).pools;
    assert.equal(loop?.closed, undefined);
    assert.deepEqual(loop && poolSize(loop), { IPv4: 0n, IPv6: 0n });
  });
});

describe('a pool', () => {
  const near = range('198.51.100.0-198.51.100.255');
  const far = pool('far', ['198.51.100.9', '203.0.113.1-203.0.113.9']);

  test('in the networks of the nodes has nothing wrong with it', () => {
    assert.deepEqual(problemsOf({ reach: [near] }), []);
  });

  test('in a network where no node stands is told that nobody answers', () => {
    assert.deepEqual(problemsOf({ reach: [near] }, [lan, far]), [
      'UnreachableNetwork: no node has an address in the network of 203.0.113.1-203.0.113.9, so nobody answers for these: use addresses of a network that a node stands in (kubectl get nodenetworks -A), or name the links in spec.interfaces of an L2Advertisement',
    ]);
  });

  test('in such a network says so to whoever gets an address of it', () => {
    const { pools } = place({ reach: [near] }, [far]);
    const told = (text: string) =>
      findUnreachable({ addresses: [address(text)], pool: 'far' }, pools)?.reason;
    assert.equal(told('198.51.100.9'), undefined);
    assert.equal(told('203.0.113.1'), 'UnreachableNetwork');
    assert.equal(
      findUnreachable({ addresses: [address('203.0.113.1')], pool: 'far' }, place({}, [far]).pools),
      undefined,
    );
  });

  test('is told nothing while not all nodes have said where they stand', () => {
    assert.deepEqual(problemsOf({}, [far]), []);
  });

  test('may lie anywhere where an advertisement names the links', () => {
    const spec = { interfaces: ['eth0'] };
    const object = { metadata: { name: 'routed', namespace: 'metallb-system' }, spec };
    const { advertisements } = readModel({ pools: [], advertisements: [object] });
    assert.deepEqual(problemsOf({ reach: [near], advertisements }, [far]), []);
  });
});
