import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Address, formatAddress } from '../net/address.ts';
import { formatRange, prefixRange } from '../net/range.ts';
import { admitted, longestNotation, parseAddresses } from './notation.ts';

function written(text: string): string {
  const range = parseAddresses(text);
  return 'problem' in range ? range.problem : formatRange(range);
}

const ipv4 = fc.bigInt(0n, 0xffffffffn).map((value): Address => ({ family: 'IPv4', value }));
const ipv6 = fc
  .bigInt(1n << 64n, (1n << 128n) - 1n)
  .map((value): Address => ({ family: 'IPv6', value }));

const nearlyAddresses = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'0123456789abf:./- '.split('')), maxLength: 40 }),
  fc
    .tuple(
      fc.constantFrom('198.51.100.5/24', '198.51.100.5 - 198.51.100.9', '2001:db8::/64'),
      fc.nat({ max: 28 }),
      fc.constantFrom(...'05:./- x'.split(''), ''),
    )
    .map(([text, at, letter]) => text.slice(0, at) + letter + text.slice(at + 1)),
  fc.string(),
);

describe('parseAddresses', () => {
  it('reads networks, host bits or not, and ranges, blanks or not', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['198.51.100.224/28', '198.51.100.224-198.51.100.239'],
      ['198.51.100.230/28', '198.51.100.224-198.51.100.239'],
      ['198.51.100.7/32', '198.51.100.7'],
      ['0.0.0.0/0', '0.0.0.0-255.255.255.255'],
      ['2001:db8::/64', '2001:db8::-2001:db8::ffff:ffff:ffff:ffff'],
      ['2001:db8::198.51.100.7/128', '2001:db8::c633:6407'],
      ['198.51.100.200-198.51.100.219', '198.51.100.200-198.51.100.219'],
      ['  198.51.100.200 -  198.51.100.219 ', '198.51.100.200-198.51.100.219'],
      ['198.51.100.7-198.51.100.7', '198.51.100.7'],
      ['2001:db8::1-2001:db8::ff', '2001:db8::1-2001:db8::ff'],
    ];
    for (const [text, range] of cases) assert.equal(written(text), range);
  });

  it('says of everything else what to write instead', () => {
    const example =
      'write a network like 198.51.100.224/28 or a range like 198.51.100.200-198.51.100.219';
    const cases: readonly (readonly [string, string])[] = [
      ['198.51.100.7', '"198.51.100.7" is a bare address: write 198.51.100.7/32'],
      ['2001:db8::7', '"2001:db8::7" is a bare address: write 2001:db8::7/128'],
      ['lan', `"lan" holds "lan", which is no IP address: ${example}`],
      ['', `"" has an empty end: ${example}`],
      [
        '198.51.100.0/33',
        '"198.51.100.0/33" has no valid prefix length: write a whole number from 0 to 32 after the "/"',
      ],
      [
        '2001:db8::/129',
        '"2001:db8::/129" has no valid prefix length: write a whole number from 0 to 128 after the "/"',
      ],
      [
        '198.51.100.0/024',
        '"198.51.100.0/024" has no valid prefix length: write a whole number from 0 to 32 after the "/"',
      ],
      [
        '198.51.100.0/255.255.255.0',
        '"198.51.100.0/255.255.255.0" has no valid prefix length: write a whole number from 0 to 32 after the "/"',
      ],
      ['198.51.100/24', `"198.51.100/24" holds "198.51.100", which is no IP address: ${example}`],
      [
        '198.51.100.240-250',
        `"198.51.100.240-250" holds "250", which is no IP address: ${example}`,
      ],
      ['198.51.100.240-', `"198.51.100.240-" has an empty end: ${example}`],
      [
        '198.51.100.9-198.51.100.1',
        '"198.51.100.9-198.51.100.1" runs backwards: write 198.51.100.1-198.51.100.9',
      ],
      [
        '198.51.100.1-2001:db8::1',
        '"198.51.100.1-2001:db8::1" mixes IPv4 and IPv6: write one range for each',
      ],
      [
        '198.51.100.1-198.51.100.2-198.51.100.3',
        '"198.51.100.1-198.51.100.2-198.51.100.3" has more than one "-": write one range per list item',
      ],
      ['fe80::1%eth0/128', '"fe80::1%eth0/128" has a zone: leave "%…" out'],
      [
        '::ffff:198.51.100.7/128',
        '"::ffff:198.51.100.7/128" is IPv4 written as IPv6: write 198.51.100.7/32',
      ],
      [
        '::ffff:198.51.100.1-::ffff:198.51.100.9',
        '"::ffff:198.51.100.1-::ffff:198.51.100.9" is IPv4 written as IPv6: write 198.51.100.1-198.51.100.9',
      ],
    ];
    for (const [text, problem] of cases) assert.equal(written(text), problem);
  });

  it('reads any network as our own arithmetic does', () => {
    const networks = fc.oneof(
      fc.tuple(ipv4, fc.integer({ min: 0, max: 32 })),
      fc.tuple(ipv6, fc.integer({ min: 0, max: 128 })),
    );
    fc.assert(
      fc.property(networks, ([address, length]) => {
        const range = parseAddresses(`${formatAddress(address)}/${length}`);
        assert.deepEqual(range, prefixRange(address, length));
      }),
    );
  });

  it('reads any range of one family whose ends are in order', () => {
    fc.assert(
      fc.property(fc.oneof(fc.tuple(ipv4, ipv4), fc.tuple(ipv6, ipv6)), ([a, b]) => {
        const [first, last] = a.value <= b.value ? [a, b] : [b, a];
        const range = parseAddresses(`${formatAddress(first)}-${formatAddress(last)}`);
        assert.deepEqual(range, { family: a.family, first: first.value, last: last.value });
      }),
    );
  });

  it('takes only text whose parts Node takes for addresses', () => {
    fc.assert(
      fc.property(nearlyAddresses, (text) => {
        if ('problem' in parseAddresses(text)) return;
        const parts = text.includes('/') ? text.split('/').slice(0, 1) : text.split('-');
        for (const part of parts) assert.notEqual(isIP(part.trim()), 0, text);
      }),
      { numRuns: 2000 },
    );
  });

  it('answers at once, and briefly, to a megabyte of anything', () => {
    for (const letter of [' ', '-', '/', ':', '1', '198.51.100.7-']) {
      assert.ok(written(letter.repeat(1_000_000)).length < 300);
    }
  });
});

describe('what the API server checks', () => {
  const isAdmitted = (text: string): boolean =>
    text.length <= longestNotation &&
    (text.includes(':') ? admitted.ipv6 : admitted.ipv4).test(text);

  it('lets through everything that can be read', () => {
    fc.assert(
      fc.property(nearlyAddresses, (text) => {
        if (!('problem' in parseAddresses(text))) assert.ok(isAdmitted(text), text);
      }),
      { numRuns: 2000 },
    );
  });

  it('turns away what is plainly wrong', () => {
    const texts = [
      '',
      'lan',
      '198.51.100.256/32',
      '198.51.100.0/33',
      '198.51.100.0/024',
      '198.51.100/24',
      '198.51.100.240-250',
      '198.51.100.1-2001:db8::1',
      '2001:db8::/129',
      'fe80::1%eth0/128',
      '198.51.100.0/24,198.51.101.0/24',
    ];
    for (const text of texts) assert.ok(!isAdmitted(text), text);
  });

  it('leaves of IPv4 only bare addresses and the order of the ends to others', () => {
    fc.assert(
      fc.property(nearlyAddresses, (text) => {
        if (text.includes(':') || !isAdmitted(text)) return;
        assert.match(written(text), /^[\d.-]+$|runs backwards|is a bare address/);
      }),
      { numRuns: 2000 },
    );
  });
});
