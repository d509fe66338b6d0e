import type { Address } from '../../net/address.ts';
import {
  accept,
  demand,
  drop,
  facts,
  load,
  mostInstructions,
  otherHost,
  type Program,
  skip,
  skipAlways,
  thisHost,
} from './bpf.ts';
import { etherTypes } from './ethernet.ts';
import { lookUp } from './lookup.ts';
import { runsOf } from './runs.ts';

// Where the fields lie in a whole frame: the offsets of ethernet.ts with those of arp.ts and ndp.ts, added up.
const etherTypeAt = 12;
const arpTypesAt = 14;
const arpLengthsAt = 18;
const arpOperationAt = 20;
const arpSenderAt = 28;
const arpTargetAt = 38;
const nextHeaderAt = 20;
const icmpTypeAt = 54;
const ndpTargetAt = 62;

/**
 * Frames for this station or for a group, untagged. A tagged frame belongs to a VLAN device on top
 * of this link, and a packet socket below would take it for one of the link's own.
 */
const forThisLink: Program = [
  load('word', facts.packetType),
  skip('jumpAtLeast', otherHost, { fails: 1 }),
  drop,
  load('word', facts.vlanTagPresent),
  ...demand(0),
];

/** Of those, the ones for this station alone. */
const forThisStation: Program = [
  load('word', facts.packetType),
  ...demand(thisHost),
  ...forThisLink,
];

/** Nothing at all: what a socket starts with, and what a link without addresses has. */
export const dropAll: Program = [drop];

/** The frames of the speakers. */
export const speakersFilter: Program = [
  ...forThisLink,
  load('half', etherTypeAt),
  ...demand(etherTypes.speaker),
  accept,
];

/** Replies to this station, whatever they are about. */
export const arpAnswersFilter: Program = [
  ...forThisStation,
  load('half', etherTypeAt),
  ...demand(etherTypes.arp),
  load('half', arpOperationAt),
  ...demand(2),
  accept,
];

/** The same for neighbour advertisements. */
export const ndpAnswersFilter: Program = [
  ...forThisStation,
  load('half', etherTypeAt),
  ...demand(etherTypes.ipv6),
  load('half', nextHeaderAt),
  ...demand(0x3aff),
  load('half', icmpTypeAt),
  ...demand(0x8800),
  accept,
];

/** IPv4 over Ethernet only; then loads the target of a request or the sender of a reply. */
const subjectOfArp: Program = [
  ...forThisLink,
  load('half', etherTypeAt),
  ...demand(etherTypes.arp),
  load('word', arpTypesAt),
  ...demand(0x0001_0800),
  load('half', arpLengthsAt),
  ...demand(0x0604),
  load('half', arpOperationAt),
  skip('jumpEqual', 1, { holds: 4 }),
  ...demand(2),
  load('word', arpSenderAt),
  skipAlways(1),
  load('word', arpTargetAt),
];

/**
 * ARP that concerns a held address: requests for it, the gratuitous request form included, and
 * replies in which another station claims it. The kernel looks the address up, so that questions
 * for other hosts never wake us.
 *
 * Told apart exactly are some 3,900 addresses wherever they lie, and any number of those in a pool of
 * 40,000. Beyond that, or when the kernel grants less room, the narrowest gaps between addresses pass
 * too; so whoever reads must still look the address up.
 *
 * @param addresses those of other families are ignored: they have filters of their own
 */
export function arpFilter(addresses: readonly Address[], most = mostInstructions): Program {
  const values = addresses
    .filter(({ family }) => family === 'IPv4')
    .map(({ value }) => Number(value));
  if (values.length === 0) return dropAll;
  return [...subjectOfArp, ...lookUp(runsOf(values), most - subjectOfArp.length), accept];
}

/** Solicitations and advertisements that no router has passed on, without extension headers. */
const isNdp: Program = [
  ...forThisLink,
  load('half', etherTypeAt),
  ...demand(etherTypes.ipv6),
  load('half', nextHeaderAt),
  ...demand(0x3aff),
  load('half', icmpTypeAt),
  skip('jumpEqual', 0x8700, { holds: 2 }),
  ...demand(0x8800),
];

/**
 * NDP that concerns a held address: questions for it, and advertisements in which another station claims it.
 *
 * The machine compares 32 bits at a time, so each quarter of the target must be one that some held address has there.
 * That is exact where the addresses differ in one quarter only, as those of a pool do; of addresses from several
 * networks it passes mixtures, too, so whoever reads must still look the address up. A program that would be too
 * long becomes coarser, as with ARP.
 */
export function ndpFilter(addresses: readonly Address[], most = mostInstructions): Program {
  const held = addresses.filter(({ family }) => family === 'IPv6');
  if (held.length === 0) return dropAll;
  const quarters = [0, 1, 2, 3]
    .map((index) => ({ at: ndpTargetAt + 4 * index, runs: runsOf(held.map(quarterOf(index))) }))
    .toSorted((a, b) => a.runs.length - b.runs.length);
  const program = [...isNdp];
  // What the short ones leave is for the long ones.
  for (const [index, { at, runs }] of quarters.entries()) {
    const room = Math.floor((most - program.length - 1) / (quarters.length - index));
    program.push(load('word', at), ...lookUp(runs, room - 1));
  }
  return [...program, accept];
}

const quarterOf =
  (index: number) =>
  ({ value }: Address): number =>
    Number((value >> BigInt(96 - 32 * index)) & 0xffff_ffffn);

/** Ever coarser filters for kernels that grant less room (`net.core.optmem_max`). */
function* everCoarser(filter: (most: number) => Program): Generator<Program> {
  for (let most = mostInstructions; most >= 64; most /= 4) yield filter(most);
}

export const arpFilters = (addresses: readonly Address[]): Generator<Program> =>
  everCoarser((most) => arpFilter(addresses, most));

export const ndpFilters = (addresses: readonly Address[]): Generator<Program> =>
  everCoarser((most) => ndpFilter(addresses, most));
