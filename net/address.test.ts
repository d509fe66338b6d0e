import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { IPv4, IPv6 } from 'ip-num';
import {
  type Address,
  addressFromBytes,
  addressToBytes,
  bitsOf,
  compareAddresses,
  formatAddress,
  parseAddress,
  sameAddress,
} from './address.ts';

const ofFamily = (family: 'IPv4' | 'IPv6'): fc.Arbitrary<Address> =>
  fc
    .bigInt({ min: 0n, max: (1n << BigInt(bitsOf(family))) - 1n })
    .map((value) => ({ family, value }));

/** IPv6 as it occurs: most groups are zero, so that runs of them meet the shortening rules. */
const sparseIPv6: fc.Arbitrary<Address> = fc
  .array(fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 0xffffn })), {
    minLength: 8,
    maxLength: 8,
  })
  .map((groups) => ({
    family: 'IPv6',
    value: groups.reduce((value, group) => (value << 16n) | group, 0n),
  }));

const anyAddress = fc.oneof(ofFamily('IPv4'), ofFamily('IPv6'), sparseIPv6);

/** Text near enough to an address that a careless parser takes it. */
const nearlyAddress = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'0123456789abcdefF:.%/ +x-'.split('')), maxLength: 46 }),
  fc
    .tuple(
      anyAddress.map(formatAddress),
      fc.nat({ max: 45 }),
      fc.constantFrom(...'0:.%/ g١'.split(''), ''),
    )
    .map(([text, at, letter]) => text.slice(0, at) + letter + text.slice(at + 1)),
);

describe('parseAddress', () => {
  it('reads what people write', () => {
    const values: readonly (readonly [string, bigint])[] = [
      ['0.0.0.0', 0n],
      ['198.51.100.7', 0xc6336407n],
      ['255.255.255.255', 0xffffffffn],
      ['::', 0n],
      ['::1', 1n],
      ['1::', 1n << 112n],
      ['2001:db8::', 0x20010db8n << 96n],
      ['2001:DB8:0:0:0:0:0:1', (0x20010db8n << 96n) + 1n],
      ['1:2:3:4:5:6:7::', 0x00010002000300040005000600070000n],
      ['::2:3:4:5:6:7:8', 0x00000002000300040005000600070008n],
      ['::ffff:198.51.100.7', 0xffffc6336407n],
      ['2001:db8::198.51.100.7', (0x20010db8n << 96n) + 0xc6336407n],
    ];
    for (const [text, value] of values) assert.equal(parseAddress(text)?.value, value, text);
  });

  it('refuses everything that inet_pton refuses', () => {
    const texts = [
      '',
      ' ',
      '198.51.100',
      '198.51.100.7.',
      '198.51.100.256',
      '198.51.100.07',
      '198.51.100.7\n',
      ' 198.51.100.7',
      '+198.51.100.7',
      '0xc6.51.100.7',
      '198.51.100.٧',
      '3325256711',
      ':',
      ':::',
      '1::2::3',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '1:2:3:4:5:6:7:8::',
      '::12345',
      '2001:db8::g',
      'fe80::1%eth0',
      '1.2.3.4::',
      '::1.2.3.4:5',
      '::198.51.100.256',
    ];
    for (const text of texts) assert.equal(parseAddress(text), undefined, JSON.stringify(text));
  });

  it('agrees with Node on any text', () => {
    fc.assert(
      fc.property(fc.oneof(nearlyAddress, fc.string()), (text) => {
        const judged = text.includes('%') ? 0 : isIP(text);
        const family = parseAddress(text)?.family;
        assert.equal(family, judged === 0 ? undefined : `IPv${judged}`);
      }),
      { numRuns: 2000 },
    );
  });

  it('agrees with ip-num on the value', () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        const text = formatAddress(address);
        const judged = address.family === 'IPv4' ? new IPv4(text) : new IPv6(text);
        assert.equal(judged.value, address.value);
      }),
    );
  });
});

describe('formatAddress', () => {
  it('writes IPv6 as RFC 5952 §4 and §5 want it', () => {
    const pairs: readonly (readonly [string, string])[] = [
      ['2001:0DB8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
      ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
      ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
      ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
      ['0:0:0:0:0:0:0:0', '::'],
      ['1:0:0:0:0:0:0:0', '1::'],
      ['0:0:0:0:0:0:0:1', '::1'],
      ['::ffff:c633:6407', '::ffff:198.51.100.7'],
    ];
    for (const [written, canonical] of pairs) {
      const address = parseAddress(written);
      assert.ok(address);
      assert.equal(formatAddress(address), canonical);
    }
  });

  it('is undone by parseAddress, so equal text means equal address', () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        assert.deepEqual(parseAddress(formatAddress(address)), address);
      }),
    );
  });
});

describe('address bytes', () => {
  it('are in network order', () => {
    const address = parseAddress('198.51.100.7');
    assert.ok(address);
    assert.deepEqual([...addressToBytes(address)], [198, 51, 100, 7]);
  });

  it('give the address back', () => {
    fc.assert(
      fc.property(anyAddress, (address) => {
        assert.deepEqual(addressFromBytes(addressToBytes(address)), address);
      }),
    );
  });

  it('of any other length are no address', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
        assert.equal(addressFromBytes(bytes) !== undefined, [4, 16].includes(bytes.length));
      }),
    );
  });
});

describe('compareAddresses', () => {
  it('is a total order, IPv4 before IPv6, in which only the same address is equal', () => {
    fc.assert(
      fc.property(anyAddress, anyAddress, (a, b) => {
        assert.equal(Math.sign(compareAddresses(a, b)), -Math.sign(compareAddresses(b, a)) + 0);
        assert.equal(compareAddresses(a, b) === 0, sameAddress(a, b));
        if (a.family !== b.family) assert.equal(compareAddresses(a, b) < 0, a.family === 'IPv4');
        else assert.equal(compareAddresses(a, b) < 0, a.value < b.value);
      }),
    );
  });
});
