import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatAddress } from '../net/address.ts';
import { mostForeign, parseNodeNetwork } from './node-network.ts';

const seen = {
  address: '198.51.100.7',
  mac: '52:54:00:12:34:56',
  since: '2026-11-21T10:00:00Z',
  state: 'Quarantined',
};

/** A link on which the speaker has written this, as read again. */
const readLink = (foreign: unknown) =>
  parseNodeNetwork({ links: [{ name: 'eth0', addresses: ['198.51.100.11/24'], foreign }] })?.[0];

const readForeign = (foreign: unknown): readonly string[] | undefined =>
  readLink(foreign)?.foreign.map(
    ({ address, mac, since, state }) =>
      `${formatAddress(address)} ${mac} ${since.toISOString()} ${state}`,
  );

describe('the addresses that another machine uses', () => {
  test('are read with its MAC, since when, and whether a node answers for them, too', () => {
    const contested = { ...seen, address: '2001:db8::7', state: 'Contested' };
    const shouted = { ...seen, mac: '52:54:00:AB:CD:EF' };
    assert.deepEqual(readForeign([seen, contested, shouted]), [
      '198.51.100.7 52:54:00:12:34:56 2026-11-21T10:00:00.000Z Quarantined',
      '2001:db8::7 52:54:00:12:34:56 2026-11-21T10:00:00.000Z Contested',
      '198.51.100.7 52:54:00:ab:cd:ef 2026-11-21T10:00:00.000Z Quarantined',
    ]);
  });

  test('are none where an older speaker says nothing of them', () => {
    assert.deepEqual(parseNodeNetwork({ links: [{ name: 'eth0' }] }), [
      { link: 'eth0', addresses: [], gateways: [], foreign: [] },
    ]);
  });

  test('are left out where they cannot be read, and the rest of the link is not', () => {
    const odd = [
      { ...seen, address: 'odd' },
      { ...seen, mac: 'odd' },
      { ...seen, since: 'odd' },
      { ...seen, state: 'Odd' },
      { ...seen, mac: 7 },
      'odd',
      null,
    ];
    assert.equal(readForeign([...odd, seen])?.length, 1);
    for (const all of [odd, 'odd', null, 7, {}]) {
      assert.deepEqual(readForeign(all), []);
      assert.equal(readLink(all)?.addresses.length, 1);
    }
  });

  test('are read up to as many as a speaker writes', () => {
    assert.equal(
      readForeign(Array.from({ length: 2 * mostForeign }, () => seen))?.length,
      mostForeign,
    );
  });

  test('are read without an exception whatever is written', () => {
    const entry = fc.oneof(fc.anything(), fc.record({ address: fc.string(), mac: fc.string() }));
    fc.assert(fc.property(fc.oneof(fc.anything(), fc.array(entry)), (any) => void readLink(any)));
  });
});
