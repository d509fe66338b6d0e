import { everyNode, FakeSegment } from './fake-segment.ts';
import { Judge, type Tolerated, type Violation } from './judge.ts';
import { type Random, seeded } from './random.ts';

export type Fault =
  | 'crash'
  | 'restart'
  | 'pause'
  | 'resume'
  | 'split'
  | 'heal'
  | 'linkDown'
  | 'linkUp'
  | 'leave'
  | 'replan';

/** What is done to a segment and when; the same seed gives the same schedule. */
export type Schedule = {
  readonly seed: number;
  readonly nodes: number;
  readonly addresses: number;
  readonly loss: number;
  readonly duplication: number;
  readonly slowestFrameMs: number;
  readonly faults: readonly {
    readonly atMs: number;
    readonly fault: Fault;
    readonly node: string;
  }[];
};

export type Outcome = {
  readonly violations: readonly Violation[];
  readonly longestDoubleMs: number;
  readonly trace: string;
};

const faultsUntilMs = 12_000;
/** Every fault is undone by then; what follows is quiet. */
const quietFromMs = 13_000;
const endMs = 18_000;

/** Pairs of what goes wrong and what mends it. */
const pairs: readonly (readonly [Fault, Fault])[] = [
  ['crash', 'restart'],
  ['pause', 'resume'],
  ['split', 'heal'],
  ['linkDown', 'linkUp'],
  ['leave', 'restart'],
  ['replan', 'replan'],
];

/** A random schedule: a third of them on a clean wire, the others with loss, duplicates and late frames. */
export function drawSchedule(seed: number): Schedule {
  const random = seeded(seed);
  const rough = random.chance(2 / 3);
  const nodes = random.integer(2, 7);
  const faults = Array.from({ length: random.integer(1, 8) }, () =>
    drawFault(random, nodes),
  ).flat();
  return {
    seed,
    nodes,
    addresses: random.integer(1, 12),
    loss: rough ? random.between(0, 0.2) : 0,
    duplication: rough ? random.between(0, 0.2) : 0,
    slowestFrameMs: rough ? random.between(0.5, 20) : 0.5,
    faults: faults.toSorted((a, b) => a.atMs - b.atMs),
  };
}

function drawFault(random: Random, nodes: number): Schedule['faults'][number][] {
  const [fault, mend] = random.pick(pairs);
  const node = `node-${random.integer(1, nodes)}`;
  const atMs = random.between(1000, faultsUntilMs);
  const lastsMs = random.chance(0.5) ? random.between(1, 400) : random.between(400, 6000);
  return [
    { atMs, fault, node },
    { atMs: Math.min(atMs + lastsMs, quietFromMs), fault: mend, node },
  ];
}

/** Runs a schedule and judges it: two connected holders only for a moment, exactly one at the end. */
export function runSchedule(schedule: Schedule): Outcome {
  const { seed, nodes, addresses, loss, duplication, slowestFrameMs } = schedule;
  const lan = new FakeSegment({
    seed,
    nodes,
    wire: { loss, duplication, delayMs: { low: 0.05, high: slowestFrameMs } },
  });
  const plan = everyNode(lan.nodes, addresses);
  const judge = new Judge(lan, [...plan.keys()], tolerated(schedule));
  lan.onActions = () => {
    judge.look();
  };
  lan.plan(plan);
  for (const node of lan.nodes) {
    lan.timeline.at(lan.random.between(0, 200), () => {
      lan.start(node);
    });
  }
  for (const { atMs, fault, node } of schedule.faults) {
    lan.timeline.at(atMs, () => {
      cause(lan, fault, node, plan);
      judge.look();
    });
  }
  lan.timeline.at(quietFromMs, () => {
    mendAll(lan);
  });
  lan.run(endMs);
  judge.lookAtRest();
  return {
    violations: judge.violations,
    longestDoubleMs: judge.longestDoubleMs,
    trace: lan.traceDigest(),
  };
}

/** Where frames are lost, a pulse or a claim may take several tries. */
function tolerated({ loss, slowestFrameMs }: Schedule): Tolerated {
  const pulseMs = 100;
  const exchangeMs = 4 * slowestFrameMs;
  return { pulseMs, exchangeMs: loss === 0 ? exchangeMs : 15 * pulseMs + exchangeMs };
}

function cause(
  lan: FakeSegment,
  fault: Fault,
  name: string,
  plan: ReturnType<typeof everyNode>,
): void {
  const node = lan.node(name);
  switch (fault) {
    case 'crash':
      return lan.crash(node);
    case 'restart':
      if (node.segment?.phase === 'left') lan.crash(node);
      return lan.start(node);
    case 'pause':
      return lan.pause(node);
    case 'resume':
      return lan.resume(node);
    case 'split':
      return lan.setSide(node, 1);
    case 'heal':
      return lan.setSide(node, 0);
    case 'linkDown':
      return lan.setLink(node, false);
    case 'linkUp':
      return lan.setLink(node, true);
    case 'leave':
      return lan.leave(node);
    case 'replan': {
      const some = [...plan].map(([address, all]) => {
        const few = all.filter(() => lan.random.chance(0.7));
        return [address, few.length === 0 ? all : few] as const;
      });
      return lan.plan(new Map(some), 500);
    }
  }
}

function mendAll(lan: FakeSegment): void {
  lan.wire.loss = 0;
  for (const node of lan.nodes) {
    lan.setSide(node, 0);
    lan.resume(node);
    if (node.segment?.phase === 'left') lan.crash(node);
    if (!node.linkUp) lan.setLink(node, true);
    lan.start(node);
  }
  lan.plan(everyNode(lan.nodes, lan.candidates.size));
}
