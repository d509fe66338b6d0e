import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { IPv4, IPv4CidrRange, IPv4Prefix, IPv6, IPv6CidrRange, IPv6Prefix } from 'ip-num';
import { type Address, bitsOf, type Family, formatAddress, parseAddress } from './address.ts';
import {
  compareRanges,
  formatRange,
  intersection,
  joinRanges,
  prefixRange,
  type Range,
  rangeContains,
  rangesContain,
  rangeSize,
  rangesOverlap,
  subtractRanges,
} from './range.ts';

function at(text: string): Address {
  const address = parseAddress(text);
  assert.ok(address, text);
  return address;
}

/** Ranges among sixteen addresses of each family: small enough to meet, and to list. */
const smallRange: fc.Arbitrary<Range> = fc
  .tuple(fc.constantFrom<Family>('IPv4', 'IPv6'), fc.bigInt(0n, 15n), fc.bigInt(0n, 15n))
  .map(([family, a, b]) => ({ family, first: a < b ? a : b, last: a < b ? b : a }));

const fewRanges = fc.array(smallRange, { maxLength: 5 });

const listAll = (ranges: readonly Range[]): string[] => ranges.flatMap(listAddresses);

/** Sorted, and none overlapping: no address is listed twice, and none before a lower one. */
function assertTidy(ranges: readonly Range[]): void {
  const sorted = ranges.toSorted(compareRanges);
  assert.deepEqual(ranges, sorted);
  assert.equal(new Set(listAll(ranges)).size, listAll(ranges).length);
}

function listAddresses(range: Range): string[] {
  const addresses: string[] = [];
  for (let value = range.first; value <= range.last; value++) {
    addresses.push(formatAddress({ family: range.family, value }));
  }
  return addresses;
}

describe('prefixRange', () => {
  it('masks the host bits off', () => {
    const networks: readonly (readonly [string, number, string])[] = [
      ['198.51.100.77', 24, '198.51.100.0-198.51.100.255'],
      ['198.51.100.77', 32, '198.51.100.77'],
      ['198.51.100.77', 31, '198.51.100.76-198.51.100.77'],
      ['198.51.100.77', 0, '0.0.0.0-255.255.255.255'],
      ['2001:db8::5', 126, '2001:db8::4-2001:db8::7'],
      ['2001:db8::5', 0, '::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ];
    for (const [address, length, text] of networks) {
      assert.equal(formatRange(prefixRange(at(address), length)), text);
    }
  });

  it('agrees with ip-num on any network', () => {
    const networks = fc.constantFrom<Family>('IPv4', 'IPv6').chain((family) =>
      fc.record({
        family: fc.constant(family),
        value: fc.bigInt(0n, (1n << BigInt(bitsOf(family))) - 1n),
        length: fc.integer({ min: 0, max: bitsOf(family) }),
      }),
    );
    fc.assert(
      fc.property(networks, ({ family, value, length }) => {
        const judged =
          family === 'IPv4'
            ? new IPv4CidrRange(new IPv4(value), new IPv4Prefix(BigInt(length)))
            : new IPv6CidrRange(new IPv6(value), new IPv6Prefix(BigInt(length)));
        const range = prefixRange({ family, value }, length);
        assert.equal(range.first, judged.getFirst().value);
        assert.equal(range.last, judged.getLast().value);
        assert.equal(rangeSize(range), judged.getSize());
      }),
    );
  });
});

describe('ranges', () => {
  it('contain the addresses they list, and no others', () => {
    fc.assert(
      fc.property(smallRange, smallRange, (a, b) => {
        const listed = new Set(listAddresses(a));
        assert.equal(rangeSize(a), BigInt(listed.size));
        for (const text of listAddresses(b)) {
          assert.equal(rangeContains(a, at(text)), listed.has(text));
        }
      }),
    );
  });

  it('contain together what any of them contains', () => {
    fc.assert(
      fc.property(fewRanges, smallRange, (ranges, asked) => {
        const listed = new Set(listAll(ranges));
        for (const text of listAddresses(asked)) {
          assert.equal(rangesContain(ranges, at(text)), listed.has(text));
        }
      }),
    );
  });

  it('joined list the same addresses, each once', () => {
    fc.assert(
      fc.property(fewRanges, (ranges) => {
        const joined = joinRanges(ranges);
        assertTidy(joined);
        assert.deepEqual(new Set(listAll(joined)), new Set(listAll(ranges)));
      }),
    );
  });

  it('without holes list what is in no hole', () => {
    fc.assert(
      fc.property(fewRanges, fewRanges, (ranges, holes) => {
        const left = subtractRanges(joinRanges(ranges), holes);
        assertTidy(left);
        const listed = new Set(listAll(ranges));
        assert.deepEqual(new Set(listAll(left)), listed.difference(new Set(listAll(holes))));
      }),
    );
  });

  it('overlap exactly when they share an address, one end in common included', () => {
    fc.assert(
      fc.property(smallRange, smallRange, (a, b) => {
        const inB = new Set(listAddresses(b));
        const shared = listAddresses(a).filter((text) => inB.has(text));
        assert.equal(rangesOverlap(a, b), shared.length > 0);
        assert.equal(rangesOverlap(b, a), shared.length > 0);
        if (shared.length > 0) assert.deepEqual(listAddresses(intersection(a, b)), shared);
      }),
    );
  });

  it('of different families share nothing, whatever their numbers', () => {
    const one = (family: Family): Range => ({ family, first: 0n, last: 5n });
    assert.equal(rangesOverlap(one('IPv4'), one('IPv6')), false);
    assert.equal(rangeContains(one('IPv4'), { family: 'IPv6', value: 1n }), false);
  });

  it('are in a total order: by family, first, last', () => {
    fc.assert(
      fc.property(smallRange, smallRange, (a, b) => {
        const written = (range: Range) =>
          [range.family, ...[range.first, range.last].map((end) => String(end).padStart(2))].join();
        const expected = written(a) < written(b) ? -1 : written(a) > written(b) ? 1 : 0;
        assert.equal(Math.sign(compareRanges(a, b)), expected);
      }),
    );
  });
});
