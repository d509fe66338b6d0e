import { parseAddress } from '../../net/address.ts';
import type { Range } from '../../net/range.ts';
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
    const own = addresses.filter(({ index }) => index === link.index);
    return { ...link, addresses: own, networks: own.map(({ network }) => network) };
  });
}

/** Addresses that lie somewhere out there: the ways to them are the default ways. Nothing is sent. */
const elsewhere = ['240.0.0.1', '2000::1'].flatMap((text) => parseAddress(text) ?? []);

/** The default gateways of this network namespace, of both families. */
export function readGateways(): readonly Gateway[] {
  using socket = new NetlinkSocket({ groups: 0, blocking: true });
  return elsewhere.flatMap((to, index) => {
    const sequence = sequences.routes + index;
    socket.send(formatRouteQuestion(to, sequence));
    for (;;) {
      const bytes = socket.receive({ wait: true });
      if (bytes === 'nothing') continue;
      if (bytes === 'lost') return [];
      const told = parseMessages(bytes, sequence);
      // There may be no way there: that is an error to the kernel, and an answer to us.
      if (told.length > 0)
        return told.flatMap((one) => (one.kind === 'route' ? (one.gateway ?? []) : []));
    }
  });
}

const sequences = { links: 1, addresses: 2, routes: 3 } as const;

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
