import fc from 'fast-check';

import type { Address } from '../../../net/address.ts';
import { macFromBytes } from '../../../net/mac.ts';
import type { Frame } from '../ethernet.ts';

/** For tests: the values of this layer, any of them. */
export const anyMac = fc.uint8Array({ minLength: 6, maxLength: 6 }).map(macFromBytes);

export const anyIPv4: fc.Arbitrary<Address> = fc
  .bigInt({ min: 0n, max: 0xffffffffn })
  .map((value) => ({ family: 'IPv4', value }));

export const anyIPv6: fc.Arbitrary<Address> = fc
  .bigInt({ min: 0n, max: 2n ** 128n - 1n })
  .map((value) => ({ family: 'IPv6', value }));

export const anyFrame: fc.Arbitrary<Frame> = fc.record(
  {
    destination: anyMac,
    source: anyMac,
    etherType: fc.integer({ min: 0x600, max: 0xffff }),
    payload: fc.uint8Array({ maxLength: 200 }),
  },
  { noNullPrototype: true },
);
