import type { NodeNetworkStatus } from '../crds/node-network.ts';
import { type Address, formatAddress } from '../net/address.ts';
import { prefixRange, rangeContains } from '../net/range.ts';
import type { Link } from './io/link.ts';
import type { Gateway } from './wire/rtnetlink.ts';

/** Where a node stands, in words: the same links and routers always give the same text. */
export function describeNetworks(
  links: readonly Pick<Link, 'index' | 'name' | 'addresses'>[],
  gateways: readonly Gateway[],
): NodeNetworkStatus {
  const sorted = links.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    links: sorted.map(({ index, name, addresses }) => ({
      name,
      addresses: addresses
        .filter(({ address }) => !isOfOneLink(address))
        .map(({ address, prefixLength }) => `${formatAddress(address)}/${prefixLength}`)
        .toSorted(),
      gateways: gateways
        .filter((gateway) => gateway.index === index && !isOfOneLink(gateway.address))
        .map(({ address }) => formatAddress(address))
        .toSorted(),
    })),
  };
}

/** `fe80::/10` (RFC 4291 §2.5.6): the same on every link, and of none in particular. */
const linkLocal = prefixRange({ family: 'IPv6', value: 0xfe80n << 112n }, 10);
const isOfOneLink = (address: Address): boolean => rangeContains(linkLocal, address);
