import type { Address } from './address.ts';
import { type Range, rangeContains } from './range.ts';

/** Addresses that no network delivers to one machine, and what they are instead. */
export type Unusable = { readonly range: Range; readonly what: string };

/**
 * What can never be the address of a Service (RFC 6890 §2.2.2 and §2.2.3: not valid as a destination, or not beyond the
 * host itself; RFC 5771 and RFC 4291 §2.7: groups). Link-local addresses are not among them: on their link they work.
 * Nor is the rest of 240.0.0.0/4, which some networks have put to use.
 */
export const unusable: readonly Unusable[] = [
  { range: { family: 'IPv4', first: 0n, last: 0xff_ffffn }, what: 'no destination (0.0.0.0/8)' },
  {
    range: { family: 'IPv4', first: 0x7f00_0000n, last: 0x7fff_ffffn },
    what: 'loopback (127.0.0.0/8)',
  },
  {
    range: { family: 'IPv4', first: 0xe000_0000n, last: 0xefff_ffffn },
    what: 'multicast (224.0.0.0/4)',
  },
  { range: { family: 'IPv4', first: 0xffff_ffffn, last: 0xffff_ffffn }, what: 'broadcast' },
  { range: { family: 'IPv6', first: 0n, last: 0n }, what: 'the unspecified address' },
  { range: { family: 'IPv6', first: 1n, last: 1n }, what: 'loopback' },
  {
    range: { family: 'IPv6', first: 0xffff_0000_0000n, last: 0xffff_ffff_ffffn },
    what: 'IPv4 written as IPv6 (::ffff:0:0/96)',
  },
  {
    range: { family: 'IPv6', first: 0xffn << 120n, last: (1n << 128n) - 1n },
    what: 'multicast (ff00::/8)',
  },
];

/** What an address is that cannot be the address of a Service; undefined for one that can. */
export const unusableAs = (address: Address): string | undefined =>
  unusable.find(({ range }) => rangeContains(range, address))?.what;
