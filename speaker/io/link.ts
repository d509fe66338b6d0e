import { parseAddress } from '../../net/address.ts';
import { type Range, rangeContains } from '../../net/range.ts';
import {
  formatDump,
  formatRouteQuestion,
  type Gateway,
  type LinkAddress,
  type LinkState,
  parseMessages,
  type Told,
} from '../wire/rtnetlink.ts';
import { NetlinkSocket } from './netlink-socket.ts';

/** A link, its addresses, and the networks that they stand in, of both families. */
export type Link = LinkState & {
  readonly addresses: readonly LinkAddress[];
  readonly networks: readonly Range[];
};

/**
 * All links of this network namespace as they are now, whether up or down. A link that comes,
 * goes or changes meanwhile may be in the answer or not: `LinkEvents` then says that it changed.
 */
export function readLinks(): readonly Link[] {
  using socket = new NetlinkSocket({ groups: 0, blocking: true });
  const links = dump(socket, 'links').flatMap((told) => (told.kind === 'link' ? [told.link] : []));
  const addresses = dump(socket, 'addresses').flatMap((told) =>
    told.kind === 'address' ? [told.address] : [],
  );
  return links.map((link) => {
    const own = addresses
      .filter(({ index }) => index === link.index)
      .map((one) => (link.resolves && !link.loopback ? widened(socket, one) : one));
    return { ...link, addresses: own, networks: own.map(({ network }) => network) };
  });
}

/**
 * An address that DHCPv6 gave stands in no network of its own (its prefix has 128 bits): which addresses are on the link is
 * for the router to say (RFC 5942 §3), and then in the routes. So it counts to the network that its neighbour is in. A
 * change of routes alone is not told to us: the router speaks first, then the address comes.
 */
function widened(socket: NetlinkSocket, one: LinkAddress): LinkAddress {
  const { family, value } = one.address;
  if (one.network.first !== one.network.last) return one;
  socket.send(formatRouteQuestion({ family, value: value ^ 1n }, sequences.networks, 'entry'));
  const around = answerTo(socket, sequences.networks)
    .flatMap((told) => (told.kind === 'route' ? (told.onLink ?? []) : []))
    .find(({ index, network }) => index === one.index && rangeContains(network, one.address));
  return around === undefined ? one : { ...one, ...around };
}

/** Addresses that lie somewhere out there: the ways to them are the default ways. Nothing is sent. */
const elsewhere = ['240.0.0.1', '2000::1'].flatMap((text) => parseAddress(text) ?? []);

/** The default gateways of this network namespace, of both families. */
export function readGateways(): readonly Gateway[] {
  using socket = new NetlinkSocket({ groups: 0, blocking: true });
  return elsewhere.flatMap((to, index) => {
    const sequence = sequences.routes + index;
    socket.send(formatRouteQuestion(to, sequence));
    return answerTo(socket, sequence).flatMap((told) =>
      told.kind === 'route' ? (told.gateway ?? []) : [],
    );
  });
}

/** The answer to a question about a route. There may be no way there: that is an error to the kernel, and an answer to us. */
function answerTo(socket: NetlinkSocket, sequence: number): readonly Told[] {
  for (;;) {
    const bytes = socket.receive({ wait: true });
    if (bytes === 'nothing') continue;
    if (bytes === 'lost') return [];
    const told = parseMessages(bytes, sequence);
    if (told.length > 0) return told;
  }
}

// Two questions about routes follow each other, one for each family.
const sequences = { links: 1, addresses: 2, routes: 3, networks: 5 } as const;

function dump(socket: NetlinkSocket, what: 'links' | 'addresses'): readonly Told[] {
  const sequence = sequences[what];
  socket.send(formatDump(what, sequence));
  const told: Told[] = [];
  for (;;) {
    const bytes = socket.receive({ wait: true });
    if (bytes === 'nothing') continue;
    if (bytes === 'lost') throw new Error(`listing all ${what}: the kernel's answer was cut off`);
    for (const message of parseMessages(bytes, sequence)) {
      if (message.kind === 'done') return told;
      if (message.kind === 'error') {
        throw new Error(`listing all ${what}: the kernel refused with errno ${message.errno}`);
      }
      told.push(message);
    }
  }
}
