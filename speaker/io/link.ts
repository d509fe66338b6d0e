import type { Range } from '../../net/range.ts';
import { formatDump, type LinkState, parseMessages, type Told } from '../wire/rtnetlink.ts';
import { NetlinkSocket } from './netlink-socket.ts';

/** A link and the networks that its addresses stand in, of both families. */
export type Link = LinkState & { readonly networks: readonly Range[] };

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
  return links.map((link) => ({
    ...link,
    networks: addresses.filter(({ index }) => index === link.index).map(({ network }) => network),
  }));
}

const sequences = { links: 1, addresses: 2 } as const;

function dump(socket: NetlinkSocket, what: keyof typeof sequences): readonly Told[] {
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
