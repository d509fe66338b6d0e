import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { nodeNetworkKind } from '../crds/names.ts';
import { kinds } from '../kube/kinds.ts';
import type { KubeObject, Node } from '../kube/object.ts';
import { formatAddress } from '../net/address.ts';
import { formatRange } from '../net/range.ts';
import { readTerrain, type Terrain, terrainKinds } from './terrain.ts';

const occupied = (terrain: Terrain): readonly string[] =>
  terrain.occupied.map(({ range, by }) => `${formatRange(range)} ${by}`);

const node = (addresses: readonly string[], podCIDRs: readonly string[] = []): Node => ({
  metadata: { name: 'a' },
  spec: { podCIDRs },
  status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) },
});

function standing(addresses: readonly string[], gateways: readonly string[] = []): Terrain {
  const status = { links: [{ name: 'eth0', addresses, gateways }] };
  return readTerrain(nodeNetworkKind, { metadata: { name: 'a' }, status } as KubeObject);
}

test('a node has its addresses and the network of its Pods', () => {
  const addresses = ['198.51.100.11', '2001:db8::11', 'a.example'];
  assert.deepEqual(occupied(readTerrain(kinds.node, node(addresses, ['203.0.113.0/25', 'odd']))), [
    '198.51.100.11 an address of node a',
    '2001:db8::11 an address of node a',
    '203.0.113.0-203.0.113.127 the Pod network of node a',
  ]);
});

test('Services have the networks of their cluster addresses', () => {
  const cidr = { metadata: { name: 'kubernetes' }, spec: { cidrs: ['203.0.113.0/24'] } };
  assert.deepEqual(occupied(readTerrain(kinds.serviceCidr, cidr)), [
    '203.0.113.0-203.0.113.255 in ServiceCIDR kubernetes',
  ]);
});

describe('around a node', () => {
  test('its router and the ends of its networks are nobody’s to have', () => {
    assert.deepEqual(occupied(standing(['198.51.100.11/24'], ['198.51.100.1'])), [
      '198.51.100.11 an address of node a (eth0)',
      '198.51.100.1 the gateway of node a (eth0)',
      '198.51.100.0 the network address of a (eth0)',
      '198.51.100.255 the broadcast address of a (eth0)',
    ]);
  });

  test('an IPv6 network has no broadcast address', () => {
    assert.deepEqual(occupied(standing(['2001:db8::11/64'])), [
      '2001:db8::11 an address of node a (eth0)',
      '2001:db8:: of any router on the network of a (eth0)',
    ]);
  });

  test('a network of two addresses, or of one, has no ends', () => {
    assert.deepEqual(occupied(standing(['198.51.100.10/31', '203.0.113.7/32'])), [
      '198.51.100.10 an address of node a (eth0)',
      '203.0.113.7 an address of node a (eth0)',
    ]);
  });

  test('there may be machines that are not ours', () => {
    const seen = {
      address: '198.51.100.7',
      mac: '52:54:00:00:00:99',
      since: '2026-11-21T10:00:00Z',
      state: 'Quarantined',
    };
    const status = { links: [{ name: 'eth0', foreign: [seen] }] };
    const { foreign = [] } = readTerrain(nodeNetworkKind, {
      metadata: { name: 'a' },
      status,
    } as KubeObject);
    assert.deepEqual(
      foreign.map(
        ({ address, mac, node: by, link }) => `${formatAddress(address)} ${mac} ${by} ${link}`,
      ),
      ['198.51.100.7 52:54:00:00:00:99 a eth0'],
    );
  });

  test('what cannot be read is left out', () => {
    const terrain = standing(['198.51.100.11/33', '198.51.100.11', 'odd/24', '/'], ['odd']);
    assert.deepEqual(terrain, { occupied: [], networks: [], foreign: [] });
  });
});

test('whatever stands in an object is read without an exception', () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('198.51.100.0/24', '::/0', '198.51.100.1'));
  const status = fc.oneof(
    fc.anything(),
    fc.record({ links: fc.array(fc.record({ name: text, addresses: fc.array(text) })) }),
  );
  const networks = { maxLength: 3 };
  fc.assert(
    fc.property(fc.array(text, networks), fc.array(text, networks), status, (some, more, odd) => {
      const objects = [
        node(some, more),
        { metadata: { name: 'a' }, spec: { cidrs: some } },
        { metadata: { name: 'a' }, status: odd },
      ];
      for (const [index, kind] of terrainKinds.entries())
        readTerrain(kind, objects[index] as KubeObject);
    }),
  );
});
