import type { Fault, Schedule } from './schedule.ts';

/** A schedule is made simpler in rounds; after as many plays the simplest so far has to do. */
const playsAtMost = 400;

/** The simplest schedule found, by leaving out and halving, that `fails` in the same way. */
export function shrink(schedule: Schedule, fails: (schedule: Schedule) => boolean): Schedule {
  let simplest = schedule;
  let plays = 0;
  for (let shrunk = true; shrunk;) {
    shrunk = false;
    for (const simpler of simplifications(simplest)) {
      if (++plays > playsAtMost) return simplest;
      if (!fails(simpler)) continue;
      simplest = simpler;
      shrunk = true;
      break;
    }
  }
  return simplest;
}

function* simplifications(schedule: Schedule): Generator<Schedule> {
  const { faults, nodes, addresses, links, loss, duplication, slowestFrameMs, drift } = schedule;
  for (const fault of faults) yield { ...schedule, faults: faults.filter((one) => one !== fault) };
  if (links > 1) yield { ...schedule, links: links - 1 };
  for (const fewer of fewerThan(nodes, 2)) {
    yield { ...schedule, nodes: fewer, faults: faults.filter((fault) => fits(fault, fewer)) };
  }
  for (const fewer of fewerThan(addresses, 1)) yield { ...schedule, addresses: fewer };
  if (schedule.eats !== 'nothing') yield { ...schedule, eats: 'nothing' };
  if (schedule.switches > 2) yield { ...schedule, switches: 2 };
  if (schedule.detourMs !== undefined) yield { ...schedule, detourMs: undefined };
  if (drift > 0) yield { ...schedule, drift: 0 };
  if (duplication > 0) yield { ...schedule, duplication: 0 };
  if (loss > 0) yield { ...schedule, loss: 0 };
  if (slowestFrameMs > 0.5) yield { ...schedule, slowestFrameMs: 0.5 };
  for (const fault of faults) {
    const round = { ...fault, atMs: Math.round(fault.atMs), untilMs: Math.round(fault.untilMs) };
    if (round.atMs === fault.atMs && round.untilMs === fault.untilMs) continue;
    yield { ...schedule, faults: faults.map((one) => (one === fault ? round : one)) };
  }
}

const fits = ({ node }: Fault, nodes: number): boolean =>
  Number(node.slice('node-'.length)) <= nodes;

const fewerThan = (count: number, least: number): readonly number[] =>
  [least, count >> 1, count - 1].filter((fewer) => fewer >= least && fewer < count);
