import { type Address, addressFromBytes, addressToBytes, bitsOf } from '../../net/address.ts';
import { type Mac, macFromBytes } from '../../net/mac.ts';
import { prefixRange, type Range } from '../../net/range.ts';

/** A network interface as the kernel describes it at one moment. */
export type LinkState = {
  readonly index: number;
  readonly name: string;
  /** Undefined for links without Ethernet addresses, such as tunnels. */
  readonly mac: Mac | undefined;
  /** The administrator wants it up. */
  readonly up: boolean;
  /** It can carry frames: it is up, with carrier. */
  readonly running: boolean;
  readonly loopback: boolean;
  /** Neighbours are found by asking: it has a broadcast address, and ARP is not switched off. */
  readonly resolves: boolean;
  /** It is a port of a bridge, a bond or the like, which has the addresses. */
  readonly enslaved: boolean;
  readonly mtu: number;
};

/** An address configured on a link, with the network it stands in. */
export type LinkAddress = {
  readonly index: number;
  readonly address: Address;
  readonly prefixLength: number;
  readonly network: Range;
  /** It may be used: nobody else is known to have it, and nobody is being asked any more (RFC 4862 §5.4). */
  readonly settled: boolean;
};

/** A network that needs no router: its stations are on the link. */
type OnLink = Pick<LinkAddress, 'index' | 'prefixLength' | 'network'>;

/** A router on a link. */
export type Gateway = { readonly index: number; readonly address: Address };

export type Told =
  | { readonly kind: 'link'; readonly link: LinkState }
  | { readonly kind: 'address'; readonly address: LinkAddress }
  | {
      readonly kind: 'route';
      readonly gateway: Gateway | undefined;
      readonly onLink: OnLink | undefined;
    }
  | { readonly kind: 'done' }
  /** `errno` is positive; the kernel acknowledges with zero. */
  | { readonly kind: 'error'; readonly errno: number }
  | { readonly kind: 'other' };

// linux/netlink.h, linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h, linux/if.h, linux/socket.h
const AF_INET = 2;
const AF_INET6 = 10;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const RTM_NEWLINK = 16;
const RTM_NEWADDR = 20;
const RTM_NEWROUTE = 24;
const NLM_F_REQUEST = 1;
const NLM_F_DUMP = 0x300;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_MASTER = 10;
const IFLA_CARRIER = 33;
const IFA_F_DADFAILED = 0x08;
const IFA_F_TENTATIVE = 0x40;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_VIA = 18;
const RTN_UNICAST = 1;
const RTM_F_FIB_MATCH = 0x2000;
const IFF_UP = 0x1;
const IFF_BROADCAST = 0x2;
const IFF_LOOPBACK = 0x8;
const IFF_RUNNING = 0x40;
const IFF_NOARP = 0x80;

const RTM_GETROUTE = 26;

const dumps = { links: 18, addresses: 22 } as const;

/**
 * The question for all links (RTM_GETLINK) or all addresses (RTM_GETADDR) of a namespace.
 *
 * | offset | bytes | what                                                   |
 * |-------:|------:|--------------------------------------------------------|
 * |      0 |     4 | length of the message, this header included            |
 * |      4 |     2 | type                                                   |
 * |      6 |     2 | flags                                                  |
 * |      8 |     4 | sequence, repeated in every answer                     |
 * |     12 |     4 | port: 0, the kernel                                    |
 * |     16 |     1 | address family: 0, all                                 |
 * |     17 |    15 | the rest of struct ifinfomsg, which is enough for both |
 */
export function formatDump(what: keyof typeof dumps, sequence: number): Uint8Array {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, dumps[what], true);
  view.setUint16(6, NLM_F_REQUEST | NLM_F_DUMP, true);
  view.setUint32(8, sequence, true);
  return bytes;
}

/**
 * The question by which way a packet to an address would leave (RTM_GETROUTE): a header as above, struct rtmsg (12 bytes:
 * family, prefix length, flags at its end, and what may be 0), and RTA_DST. The answer is one message: about that address
 * alone, or the entry of the table that decides.
 */
export function formatRouteQuestion(
  to: Address,
  sequence: number,
  about: 'address' | 'entry' = 'address',
): Uint8Array {
  const destination = addressToBytes(to);
  const bytes = new Uint8Array(32 + destination.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, RTM_GETROUTE, true);
  view.setUint16(6, NLM_F_REQUEST, true);
  view.setUint32(8, sequence, true);
  view.setUint8(16, destination.length === 4 ? AF_INET : AF_INET6);
  view.setUint8(17, destination.length * 8);
  view.setUint32(24, about === 'entry' ? RTM_F_FIB_MATCH : 0, true);
  view.setUint16(28, 4 + destination.length, true);
  view.setUint16(30, RTA_DST, true);
  bytes.set(destination, 32);
  return bytes;
}

/** What the kernel tells in one datagram, in answer to this sequence; a cut-off rest is left out. */
export function parseMessages(bytes: Uint8Array, sequence: number): readonly Told[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const told: Told[] = [];
  for (let at = 0; at + 16 <= bytes.length;) {
    const length = view.getUint32(at, true);
    if (length < 16 || at + length > bytes.length) break;
    if (view.getUint32(at + 8, true) === sequence) {
      told.push(parseBody(view.getUint16(at + 4, true), bytes.subarray(at + 16, at + length)));
    }
    at += align(length);
  }
  return told;
}

function parseBody(type: number, body: Uint8Array): Told {
  switch (type) {
    case RTM_NEWLINK:
      return parseLink(body);
    case RTM_NEWADDR:
      return parseLinkAddress(body);
    case RTM_NEWROUTE:
      return parseRoute(body);
    case NLMSG_DONE:
      return { kind: 'done' };
    case NLMSG_ERROR: {
      const view = new DataView(body.buffer, body.byteOffset, body.length);
      return { kind: 'error', errno: body.length < 4 ? 0 : -view.getInt32(0, true) };
    }
    default:
      return { kind: 'other' };
  }
}

/**
 * struct ifinfomsg, then attributes.
 *
 * | offset | bytes | what          |
 * |-------:|------:|---------------|
 * |      0 |     4 | family, type  |
 * |      4 |     4 | index         |
 * |      8 |     4 | flags         |
 * |     12 |     4 | change mask   |
 */
function parseLink(body: Uint8Array): Told {
  if (body.length < 16) return { kind: 'other' };
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const attributes = parseAttributes(body.subarray(16));
  const name = attributes.get(IFLA_IFNAME);
  const mtu = attributes.get(IFLA_MTU);
  if (name === undefined || mtu?.length !== 4) return { kind: 'other' };
  const mac = attributes.get(IFLA_ADDRESS);
  const flags = view.getUint32(8, true);
  // The flag follows the carrier up to a second late (net/core/link_watch.c); this shows it as it is.
  const carrier = attributes.get(IFLA_CARRIER)?.[0];
  const link: LinkState = {
    index: view.getInt32(4, true),
    name: new TextDecoder().decode(name.subarray(0, name.indexOf(0))),
    mac: mac?.length === 6 ? macFromBytes(mac) : undefined,
    up: (flags & IFF_UP) !== 0,
    running: (flags & IFF_UP) !== 0 && (flags & IFF_RUNNING) !== 0 && carrier !== 0,
    loopback: (flags & IFF_LOOPBACK) !== 0,
    resolves: (flags & IFF_BROADCAST) !== 0 && (flags & IFF_NOARP) === 0,
    enslaved: attributes.has(IFLA_MASTER),
    mtu: new DataView(mtu.buffer, mtu.byteOffset).getUint32(0, true),
  };
  return { kind: 'link', link };
}

/**
 * struct ifaddrmsg, then attributes.
 *
 * | offset | bytes | what          |
 * |-------:|------:|---------------|
 * |      0 |     1 | family        |
 * |      1 |     1 | prefix length |
 * |      2 |     1 | flags         |
 * |      3 |     1 | scope         |
 * |      4 |     4 | index         |
 */
function parseLinkAddress(body: Uint8Array): Told {
  if (body.length < 8) return { kind: 'other' };
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const attributes = parseAttributes(body.subarray(8));
  // On a point-to-point link IFA_ADDRESS is the other end.
  const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  const address = bytes === undefined ? undefined : addressFromBytes(bytes);
  const prefixLength = view.getUint8(1);
  if (bytes === undefined || address === undefined || prefixLength > bytes.length * 8) {
    return { kind: 'other' };
  }
  const index = view.getUint32(4, true);
  const network = prefixRange(address, prefixLength);
  const settled = (view.getUint8(2) & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) === 0;
  return { kind: 'address', address: { index, address, prefixLength, network, settled } };
}

/**
 * struct rtmsg, then attributes; no gateway where the network is at hand.
 *
 * | offset | bytes | what                                    |
 * |-------:|------:|-----------------------------------------|
 * |      0 |     1 | family                                  |
 * |      1 |     1 | prefix length                           |
 * |      2 |     5 | source prefix, TOS, table, origin, scope |
 * |      7 |     1 | type: 1 unicast; others lead nowhere    |
 * |      8 |     4 | flags                                   |
 */
function parseRoute(body: Uint8Array): Told {
  if (body.length < 12) return { kind: 'other' };
  const attributes = parseAttributes(body.subarray(12));
  const [router, to] = [RTA_GATEWAY, RTA_DST].map((type) => {
    const bytes = attributes.get(type);
    return bytes === undefined ? undefined : addressFromBytes(bytes);
  });
  const link = attributes.get(RTA_OIF);
  if (link?.length !== 4) return { kind: 'route', gateway: undefined, onLink: undefined };
  const index = new DataView(link.buffer, link.byteOffset).getInt32(0, true);
  if (router !== undefined) {
    return { kind: 'route', gateway: { index, address: router }, onLink: undefined };
  }
  const prefixLength = body[1] ?? 0;
  // A router of the other family has an attribute of its own.
  const isDirect = body[7] === RTN_UNICAST && !attributes.has(RTA_VIA) && prefixLength > 0;
  if (to === undefined || !isDirect || prefixLength > bitsOf(to.family)) {
    return { kind: 'route', gateway: undefined, onLink: undefined };
  }
  const onLink = { index, prefixLength, network: prefixRange(to, prefixLength) };
  return { kind: 'route', gateway: undefined, onLink };
}

/** struct rtattr: u16 length with these four bytes, u16 type, value, padding to four. */
function parseAttributes(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const attributes = new Map<number, Uint8Array>();
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > bytes.length) break;
    attributes.set(view.getUint16(at + 2, true), bytes.subarray(at + 4, at + length));
    at += align(length);
  }
  return attributes;
}

const align = (length: number): number => (length + 3) & ~3;
