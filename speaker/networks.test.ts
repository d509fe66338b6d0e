import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Address, parseAddress } from '../net/address.ts';
import { prefixRange } from '../net/range.ts';
import { describeNetworks } from './networks.ts';

function address(text: string): Address {
  const parsed = parseAddress(text);
  assert.ok(parsed, text);
  return parsed;
}

const link = (index: number, name: string, ...addresses: readonly [string, number][]) => ({
  index,
  name,
  addresses: addresses.map(([text, prefixLength]) => ({
    index,
    address: address(text),
    prefixLength,
    network: prefixRange(address(text), prefixLength),
    settled: true,
  })),
});

const gateway = (index: number, text: string) => ({ index, address: address(text) });

test('each link tells its addresses and its own routers', () => {
  const links = [link(2, 'eth0', ['198.51.100.11', 24], ['2001:db8::11', 64])];
  const gateways = [gateway(2, '198.51.100.1'), gateway(3, '203.0.113.1')];
  assert.deepEqual(describeNetworks(links, gateways), {
    links: [
      {
        name: 'eth0',
        addresses: ['198.51.100.11/24', '2001:db8::11/64'],
        gateways: ['198.51.100.1'],
      },
    ],
  });
});

test('the order in which the kernel lists makes no difference', () => {
  const [a, b] = [link(2, 'eth0', ['198.51.100.11', 24]), link(3, 'eth1', ['203.0.113.11', 24])];
  assert.deepEqual(describeNetworks([a, b], []), describeNetworks([b, a], []));
});

test('addresses that every link has are not told', () => {
  const links = [link(2, 'eth0', ['fe80::1', 64])];
  assert.deepEqual(describeNetworks(links, [gateway(2, 'fe80::ff')]), {
    links: [{ name: 'eth0', addresses: [], gateways: [] }],
  });
});
