import { routerForgottenMs } from './illness.ts';
import { type Random, seeded } from './random.ts';

/** What goes wrong at `atMs` and is mended at `untilMs`. */
export type Fault = {
  readonly kind: FaultKind;
  readonly atMs: number;
  readonly untilMs: number;
  readonly node: string;
  /** Which of its links, where only one is struck; counted from 0. */
  readonly link: number;
};

type FaultKind =
  /** Loses power; it boots when it has it back. */
  | 'crash'
  /** Stands still as under SIGSTOP, or as a starved virtual machine. */
  | 'pause'
  /** The same, and nothing that is sent to it waits for it: the whole machine stands still. */
  | 'freeze'
  /** Hears nobody on a link, and nobody hears it. */
  | 'split'
  | 'linkDown'
  /** Is stopped in order, and started again. */
  | 'leave'
  /** Some nodes are no candidates for some addresses. */
  | 'replan'
  /** Its checks fail on a link, and after a while pass again. */
  | 'sick'
  /** The router of a link is dead, which every node comes to know by itself. */
  | 'routerDead'
  /** Every frame on a link is lost, for less time than it takes to miss anybody. */
  | 'blackout'
  /** Finds as a witness that an address is not answered for, although it is. */
  | 'falseAlarm';

/** What is done to a segment and when; the same seed gives the same schedule. */
export type Schedule = {
  readonly seed: number;
  readonly nodes: number;
  /** Segments that every node has a link to, each with all the addresses. */
  readonly links: number;
  readonly addresses: number;
  readonly loss: number;
  readonly duplication: number;
  readonly slowestFrameMs: number;
  /** Clocks show different times, and differ in speed by up to this share. */
  readonly drift: number;
  /** How many virtual switches the nodes are spread over, and from when on they drop what between them. */
  readonly switches: number;
  readonly eats: 'nothing' | 'frames' | 'everything';
  readonly eatsFromMs: number;
  /** How long messages take at most that go around a dead link; undefined: there is no other way. */
  readonly detourMs: number | undefined;
  readonly faults: readonly Fault[];
};

/** All nodes have started by then, and have had time to find each other and to share the addresses. */
export const settledAtMs = (nodes: number): number => (nodes > 30 ? 2000 : 1200);

/**
 * After as long without faults everything has to be in order; where nodes do not hear each other at all, only what the
 * API says helps, and that takes its time.
 */
export const quietMs = ({ eats }: Pick<Schedule, 'eats'>): number =>
  eats === 'everything' ? 18_000 : 2500;

const kinds: readonly FaultKind[] = [
  'crash',
  'pause',
  'freeze',
  'split',
  'linkDown',
  'leave',
  'replan',
  'blackout',
  'sick',
  'routerDead',
];

type Size = { readonly nodes: number; readonly addresses: number; readonly faults: number };

/** Most are small: what goes wrong with hundreds of nodes mostly goes wrong with three, a hundred times as fast. */
function drawSize(random: Random): Size {
  const kind = random.next();
  const few = random.integer(1, 5);
  if (kind < 0.9) {
    return { nodes: random.integer(2, 6), addresses: random.integer(1, 12), faults: few };
  }
  if (kind < 0.985) {
    return { nodes: random.integer(2, 12), addresses: random.integer(1, 100), faults: few };
  }
  if (kind < 0.997) {
    return { nodes: random.integer(8, 25), addresses: random.integer(1, 200), faults: 2 };
  }
  if (kind < 0.9992) {
    return { nodes: random.integer(2, 4), addresses: random.integer(1000, 10_000), faults: 1 };
  }
  return { nodes: random.integer(100, 200), addresses: random.integer(1, 400), faults: 1 };
}

/** A random schedule: half of them on a clean wire, the others with loss, duplicates and late frames. */
export function drawSchedule(seed: number): Schedule {
  const random = seeded(seed);
  const rough = random.chance(1 / 2);
  const { nodes, addresses, faults } = drawSize(random);
  const links = nodes < 8 && random.chance(0.15) ? random.integer(2, 3) : 1;
  const eating = drawEating(random, nodes);
  const firstMs = eating.eats === 'everything' ? 12_000 : settledAtMs(nodes);
  const when = { firstMs, lastMs: firstMs + 900 * faults };
  return {
    seed,
    nodes,
    links,
    addresses,
    loss: rough && random.chance(2 / 3) ? random.between(0, 0.2) : 0,
    duplication: rough ? random.between(0, 0.2) : 0,
    slowestFrameMs: rough ? random.between(0.5, 20) : 0.5,
    drift: random.chance(1 / 2) ? 0.001 : 0,
    ...eating,
    detourMs: drawDetour(seeded(seed ^ 0x5eed)),
    faults: [
      ...Array.from({ length: faults }, () => drawFault(random, { nodes, links, ...when })),
      ...drawFalseAlarm(seed, { nodes, links, ...when }),
    ]
      .toSorted((a, b) => a.atMs - b.atMs)
      .filter(isBearable)
      .filter(({ kind }) => eating.eats !== 'everything' || apart.has(kind))
      // Until nodes miss each other's frames they have no datagrams either: together that is a partition.
      .filter(({ kind }) => eating.eatsFromMs === 0 || kind !== 'blackout'),
  };
}

/** A detour is mostly another link, and now and then a network in trouble of its own. */
function drawDetour(random: Random): number | undefined {
  if (random.chance(1 / 2)) return undefined;
  return random.chance(2 / 3) ? 2 : random.between(2, 1000);
}

type Eating = Pick<Schedule, 'switches' | 'eats' | 'eatsFromMs'>;

function drawEating(random: Random, nodes: number): Eating {
  const kind = random.next();
  const switches = random.integer(2, 3);
  if (nodes > 8 || kind < 0.8) return { switches: 1, eats: 'nothing', eatsFromMs: 0 };
  if (kind > 0.96) return { switches, eats: 'everything', eatsFromMs: 0 };
  return { switches, eats: 'frames', eatsFromMs: random.chance(0.5) ? 0 : 2000 };
}

/** What can happen to nodes that do not hear each other without anybody being the wiser. */
const apart: ReadonlySet<FaultKind> = new Set(['crash', 'leave', 'pause', 'freeze', 'replan']);

type Setting = { nodes: number; links: number; firstMs: number; lastMs: number };

/** Of dice of its own, so that all else stays as it is: a holder that answers is found silent in few schedules. */
function drawFalseAlarm(seed: number, on: Setting): readonly Fault[] {
  const random = seeded(-seed);
  if (!random.chance(1 / 8)) return [];
  const fault = drawFault(random, on);
  return [{ ...fault, kind: 'falseAlarm', untilMs: fault.atMs }];
}

function drawFault(random: Random, on: Setting): Fault {
  const kind = random.pick(kinds);
  const atMs = random.between(on.firstMs, on.lastMs);
  const lastsMs = random.chance(0.5) ? random.between(1, 400) : random.between(400, 2500);
  return {
    kind,
    atMs,
    untilMs: atMs + lastsMsOf(kind, lastsMs, random),
    node: `node-${random.integer(1, on.nodes)}`,
    link: random.integer(0, on.links - 1),
  };
}

function lastsMsOf(kind: FaultKind, lastsMs: number, random: Random): number {
  if (kind === 'blackout') return random.between(10, blackoutMs);
  return kind === 'routerDead' ? lastsMs + random.between(0, 3000) + routerForgottenMs : lastsMs;
}

/** Two blackouts in a row last as long as a death; the first one stays. */
const isBearable = (fault: Fault, index: number, faults: readonly Fault[]): boolean =>
  fault.kind !== 'blackout' || faults.findIndex(({ kind }) => kind === 'blackout') === index;

/** Two pulses fall into it at the most; the third one is in time, or the answer to a question. */
const blackoutMs = 150;
