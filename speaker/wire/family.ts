import type { Address, Family } from '../../net/address.ts';
import { broadcastMac, type Mac, macFromBytes } from '../../net/mac.ts';
import {
  answerTo,
  type Arp,
  formatArp,
  gratuitousReply,
  gratuitousRequest,
  nobody,
  parseArp,
  probeFor as arpProbeFor,
  questionFor,
} from './arp.ts';
import type { Program } from './bpf.ts';
import { etherTypeOf, etherTypes, formatFrame, headerBytes, isStation } from './ethernet.ts';
import { arpAnswersFilter, arpFilters, ndpAnswersFilter, ndpFilters } from './filter.ts';
import {
  allNodes,
  formatNdp,
  groupMac,
  isUnspecified,
  parseNdp,
  probeFor as ndpProbeFor,
  solicitedNodeGroup,
} from './ndp.ts';

/** Somebody wants to know who has `target`. */
export type Question = {
  readonly kind: 'question';
  readonly target: Address;
  readonly asker: Mac;
  /** Undefined in a probe: the asker is about to take the address and has none yet. */
  readonly askerAddress: Address | undefined;
};

/** Somebody says that `address` is at `mac`. */
export type Assertion = {
  readonly kind: 'assertion';
  readonly address: Address;
  readonly mac: Mac;
};

/**
 * Who has the address that a frame is about, or is about to take it: what a probe is to find out. Answers and
 * announcements say the first, the probe of another station the second (RFC 5227 §2.1.1, RFC 4862 §5.4.3 and §5.4.4);
 * an ordinary question says neither.
 */
export function claimIn(heard: Question | Assertion): Assertion | undefined {
  if (heard.kind === 'assertion') return heard;
  const { target, asker, askerAddress } = heard;
  if (askerAddress !== undefined) return undefined;
  return { kind: 'assertion', address: target, mac: asker };
}

/** Who asks: a station with an address of its own. What it tells of itself in a question is learned by others. */
export type Asker = { readonly mac: Mac; readonly address: Address };

/**
 * How one address family finds and announces neighbours. The responder knows only this shape: ARP and NDP
 * are two values of it.
 */
export type Neighbours = {
  readonly family: Family;
  readonly etherType: number;
  /** What a whole frame asks or says; undefined for everything else, whatever the bytes. */
  read(frame: Uint8Array): Question | Assertion | undefined;
  /** The frame that tells the asker that the address is at `mac`. */
  answer(question: Question, mac: Mac): Uint8Array;
  /** The frames that make a segment learn, unasked, that `address` is at `mac`. */
  unsolicited(address: Address, mac: Mac): readonly Uint8Array[];
  /**
   * The frame in which a station asks where the address is, as it does before it sends there: everybody who may have it,
   * or the one station that had it last.
   */
  ask(target: Address, asker: Asker, at?: Mac): Uint8Array;
  /** What a kernel is to let through of the answers to this station alone. */
  readonly answers: Program;
  /** The frame in which the station at `mac`, which is not yet to have the address, asks whether anybody does. */
  probe(address: Address, mac: Mac): Uint8Array;
  /**
   * A station that makes sure before it uses an address has not begun to use one that was answered for until less than
   * so long ago: whatever it asked until then was answered.
   */
  readonly settlesAfterMs: number;
  /** The group that questions about this address are sent to; undefined where they are broadcast. */
  group(address: Address): Address | undefined;
  /** What a kernel is to let through where these are held, ever coarser; addresses of other families count for nothing. */
  filters(addresses: readonly Address[]): Iterable<Program>;
};

export const arp: Neighbours = {
  family: 'IPv4',
  etherType: etherTypes.arp,
  read: readArp,
  answer: (question, mac) => {
    const asked: Arp = {
      operation: 'request',
      senderMac: question.asker,
      sender: question.askerAddress ?? nobody,
      targetMac: mac,
      target: question.target,
    };
    return frameOf(question.asker, mac, answerTo(asked, mac));
  },
  // Both forms: some stacks learn from requests only, some from replies only.
  unsolicited: (address, mac) => [
    frameOf(broadcastMac, mac, gratuitousRequest(address, mac)),
    frameOf(broadcastMac, mac, gratuitousReply(address, mac)),
  ],
  ask: (target, { mac, address }, at = broadcastMac) =>
    frameOf(at, mac, questionFor(target, mac, address)),
  answers: arpAnswersFilter,
  probe: (address, mac) => frameOf(broadcastMac, mac, arpProbeFor(address, mac)),
  // Three probes at least PROBE_MIN apart, and ANNOUNCE_WAIT (RFC 5227 §1.1).
  settlesAfterMs: 4_000,
  group: () => undefined,
  filters: arpFilters,
};

export const ndp: Neighbours = {
  family: 'IPv6',
  etherType: etherTypes.ipv6,
  read: readNdp,
  ask: solicitation,
  // Whoever probes has no address to answer to, so all are told (RFC 4861 §7.2.4).
  answer: ({ target, asker, askerAddress }, mac) =>
    askerAddress === undefined
      ? toAllNodes(target, mac)
      : advertisement({ target, mac, to: askerAddress, at: asker, solicited: true }),
  unsolicited: (address, mac) => [toAllNodes(address, mac)],
  answers: ndpAnswersFilter,
  probe: (address, mac) => {
    const probe = ndpProbeFor(address);
    const destination = groupMac(probe.destination);
    const payload = formatNdp(probe);
    return formatFrame({ destination, source: mac, etherType: etherTypes.ipv6, payload });
  },
  // One solicitation, and RetransTimer (RFC 4862 §5.1, RFC 4861 §10).
  settlesAfterMs: 1_000,
  group: solicitedNodeGroup,
  filters: ndpFilters,
};

function readArp(bytes: Uint8Array): Question | Assertion | undefined {
  if (etherTypeOf(bytes) !== etherTypes.arp) return undefined;
  const message = parseArp(bytes.subarray(headerBytes));
  // Nobody can be answered, or have an address, at a group's MAC; the kernel refuses these too.
  if (message === undefined || !isStation(message.senderMac)) return undefined;
  const { operation, sender, senderMac, target } = message;
  if (operation === 'reply' || sender.value === target.value) {
    return { kind: 'assertion', address: sender, mac: senderMac };
  }
  const askerAddress = sender.value === 0n ? undefined : sender;
  return { kind: 'question', target, asker: senderMac, askerAddress };
}

const frameOf = (destination: Mac, source: Mac, message: Arp): Uint8Array =>
  formatFrame({ destination, source, etherType: etherTypes.arp, payload: formatArp(message) });

function readNdp(bytes: Uint8Array): Question | Assertion | undefined {
  if (etherTypeOf(bytes) !== etherTypes.ipv6) return undefined;
  const message = parseNdp(bytes.subarray(headerBytes));
  if (message === undefined) return undefined;
  const { kind, source, target } = message;
  const mac = message.mac ?? macFromBytes(bytes.subarray(6));
  if (!isStation(mac)) return undefined;
  if (kind === 'advertisement' || source.value === target.value) {
    return { kind: 'assertion', address: target, mac };
  }
  const askerAddress = isUnspecified(source) ? undefined : source;
  return { kind: 'question', target, asker: mac, askerAddress };
}

const toAllNodes = (target: Address, mac: Mac): Uint8Array =>
  advertisement({ target, mac, to: allNodes, at: groupMac(allNodes), solicited: false });

/** Who asks says where it is, so that nobody has to ask back (RFC 4861 §7.2.2). */
function solicitation(target: Address, { mac, address }: Asker, at?: Mac): Uint8Array {
  const destination = at === undefined ? solicitedNodeGroup(target) : target;
  const payload = formatNdp({ kind: 'solicitation', source: address, destination, target, mac });
  const to = at ?? groupMac(destination);
  return formatFrame({ destination: to, source: mac, etherType: etherTypes.ipv6, payload });
}

type Told = { target: Address; mac: Mac; to: Address; at: Mac; solicited: boolean };

/**
 * The target is at `mac`, whatever was believed before. The option is in it, always: without it Linux takes no new
 * MAC, nor without the flag (measured).
 */
function advertisement(told: Told): Uint8Array {
  const { target, mac, to, at, solicited } = told;
  const payload = formatNdp({
    kind: 'advertisement',
    source: target,
    destination: to,
    target,
    mac,
    router: false,
    solicited,
    override: true,
  });
  return formatFrame({ destination: at, source: mac, etherType: etherTypes.ipv6, payload });
}

const byFamily: Readonly<Record<Family, Neighbours>> = { IPv4: arp, IPv6: ndp };

export const protocols: readonly Neighbours[] = Object.values(byFamily);

/** The protocol that announces addresses of this family. */
export const neighboursOf = (family: Family): Neighbours => byFamily[family];

/** What a frame asks or says, of whichever family it is. */
export function readNeighbours(frame: Uint8Array): Question | Assertion | undefined {
  for (const protocol of protocols) {
    const heard = protocol.read(frame);
    if (heard !== undefined) return heard;
  }
  return undefined;
}
