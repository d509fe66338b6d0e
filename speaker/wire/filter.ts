import type { Address } from '../../net/address.ts';
import {
  accept,
  demand,
  drop,
  facts,
  type Instruction,
  load,
  mostInstructions,
  mostJump,
  otherHost,
  type Program,
  skip,
  skipAlways,
} from './bpf.ts';
import { etherTypes } from './ethernet.ts';
import { coarsen, narrowestGaps, type Run, runsOf } from './runs.ts';

// Where the fields lie in a whole frame: the offsets of ethernet.ts and arp.ts, added up.
const etherTypeAt = 12;
const arpTypesAt = 14;
const arpLengthsAt = 18;
const arpOperationAt = 20;
const arpSenderAt = 28;
const arpTargetAt = 38;

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

/** Nothing at all: what a socket starts with, and what a link without addresses has. */
export const dropAll: Program = [drop];

/** The frames of the speakers. */
export const speakersFilter: Program = [
  ...forThisLink,
  load('half', etherTypeAt),
  ...demand(etherTypes.speaker),
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
 * Up to about 3,900 scattered addresses are told apart exactly. Beyond that, or when the kernel
 * grants less room, the narrowest gaps between addresses pass too; so whoever reads must still look
 * the address up.
 *
 * @param addresses those of other families are ignored: they have filters of their own
 */
export function arpFilter(addresses: readonly Address[], most = mostInstructions): Program {
  const values = addresses
    .filter(({ family }) => family === 'IPv4')
    .map(({ value }) => Number(value));
  const runs = runsOf(values);
  if (runs.length === 0) return dropAll;
  const room = most - subjectOfArp.length;
  // Joining never lengthens a program, so the finest that fits is found by halving.
  if (lengthOf(runs) <= room) return [...subjectOfArp, ...search(runs)];
  const gaps = narrowestGaps(runs);
  let [fits, tooMany] = [1, runs.length];
  while (tooMany - fits > 1) {
    const middle = (fits + tooMany) >> 1;
    if (lengthOf(coarsen(runs, gaps, middle)) <= room) fits = middle;
    else tooMany = middle;
  }
  return [...subjectOfArp, ...search(coarsen(runs, gaps, fits))];
}

/** Ever coarser filters for kernels that grant less room (`net.core.optmem_max`). */
export function* arpFilters(addresses: readonly Address[]): Generator<Program> {
  for (let most = mostInstructions; most >= 64; most /= 4) yield arpFilter(addresses, most);
}

/** Binary search down to leaves that a one-byte jump can cross. */
function search(runs: readonly Run[]): Program {
  if (testsOf(runs) < mostJump) return leaf(runs);
  const middle = runs.length >> 1;
  const low = search(runs.slice(0, middle));
  const high = search(runs.slice(middle));
  const pivot = runs[middle]?.first ?? 0;
  return [skip('jumpAtLeast', pivot, { fails: 1 }), skipAlways(low.length), ...low, ...high];
}

function lengthOf(runs: readonly Run[]): number {
  const tests = testsOf(runs);
  if (tests < mostJump) return tests + 2;
  const middle = runs.length >> 1;
  return 2 + lengthOf(runs.slice(0, middle)) + lengthOf(runs.slice(middle));
}

const testOf = (run: Run): number => (run.first === run.last ? 1 : 2);
const testsOf = (runs: readonly Run[]): number =>
  runs.reduce((tests, run) => tests + testOf(run), 0);

/** Tries each run in turn, then drops; the last instruction accepts. */
function leaf(runs: readonly Run[]): Program {
  const program: Instruction[] = [];
  const dropAt = testsOf(runs);
  for (const run of runs) {
    const here = program.length;
    if (run.first === run.last) {
      program.push(skip('jumpEqual', run.first, { holds: dropAt - here }));
    } else {
      // Runs ascend: what lies below this one is in none of the later ones either.
      program.push(skip('jumpAtLeast', run.first, { fails: dropAt - here - 1 }));
      program.push(skip('jumpGreater', run.last, { fails: dropAt - here - 1 }));
    }
  }
  return [...program, drop, accept];
}
