import { setTimeout as wait } from 'node:timers/promises';
import { creation, perSecond, type Requests, type Span, spanOf, statusWrite } from './audit.ts';
import { type Cost, costOf } from './cost.ts';
import { type Ground, users } from './ground.ts';

/** As many requests in flight as the operator has: operator/controller.ts. */
export const concurrency = 16;
/** What is said on pools follows within half a second: what comes later than this does not come. */
const quietMs = 2_000;

/** How the operator fares with a number of Services. All times and requests are those of the API server's audit log. */
export type Assigning = {
  readonly created: Created;
  readonly restarted: Restarted;
  readonly rounds: readonly Round[];
  readonly killed: Killed;
};

/** All Services are created at once while the operator runs. */
export type Created = {
  /** From the first creation to the last; and to the last assignment. */
  readonly createdSeconds: number;
  readonly assignedSeconds: number;
  readonly requests: Readonly<Record<string, number>>;
  /** Of the status writes, how many changed nothing, as the watch of a third party has it. */
  readonly vain: number;
  readonly operator: Cost;
};

/** The operator is restarted when all are assigned. */
type Restarted = {
  readonly readySeconds: number;
  readonly requests: Readonly<Record<string, number>>;
  readonly operator: Cost;
};

export type Cpu = { readonly writer: number; readonly apiServer: number; readonly etcd: number };

/** The Services have lost their addresses while the operator was away; the bare loop took them, and the operator gives them back. */
export type Round = {
  readonly ceilingPerSecond: number;
  readonly operatorPerSecond: number;
  /** CPU seconds over the same writes. */
  readonly ceilingCpu: Cpu;
  readonly operatorCpu: Cpu;
};

/** The same, and the operator is killed at half and started again. */
type Killed = {
  readonly seconds: number;
  readonly requests: Readonly<Record<string, number>>;
  readonly vain: number;
};

export async function measureAssigning(
  ground: Ground,
  services: number,
  rounds: number,
): Promise<Assigning> {
  const created = await create(ground, services);
  const restarted = await restart(ground);
  const done: Round[] = [];
  while (done.length < rounds) done.push(await playRound(ground, services));
  const killed = await killAtHalf(ground, services);
  return { created, restarted, rounds: done, killed };
}

async function create(ground: Ground, services: number): Promise<Created> {
  await using judge = await ground.follow();
  const operator = ground.startOperator();
  await operator.ready;
  const mark = ground.audit.mark();
  await ground.write('services', services, concurrency);
  const { changes } = await judge.see('all are assigned', isDone(services));
  const cost = operator.cost();
  await wait(quietMs);
  const requests = ground.audit.since(mark, users.operator);
  const creations = spanOf(ground.audit.since(mark, users.loop), creation);
  const writes = spanOf(requests, statusWrite);
  await operator.stop();
  return {
    createdSeconds: secondsOf(creations),
    assignedSeconds: (writes.lastMs - creations.firstMs) / 1_000,
    requests: countsOf(requests),
    vain: vainIn(requests, changes),
    operator: cost,
  };
}

async function restart(ground: Ground): Promise<Restarted> {
  const mark = ground.audit.mark();
  const operator = ground.startOperator();
  const readySeconds = await operator.ready;
  await wait(quietMs);
  const cost = operator.cost();
  const requests = countsOf(ground.audit.since(mark, users.operator));
  await operator.stop();
  return { readySeconds, requests, operator: cost };
}

async function playRound(ground: Ground, services: number): Promise<Round> {
  await using judge = await ground.follow();
  const ceiling = await take(ground, services);
  await judge.see('all are without address', ({ assigned }) => assigned === 0);
  const mark = ground.audit.mark();
  const operator = ground.startOperator();
  await operator.ready;
  const before = { ...serverCpu(ground), writer: operator.cost().cpuSeconds };
  await judge.see('all are assigned', isDone(services));
  const after = { ...serverCpu(ground), writer: operator.cost().cpuSeconds };
  const writes = spanOf(ground.audit.since(mark, users.operator), statusWrite);
  await operator.stop();
  return {
    ceilingPerSecond: perSecond(ceiling.span),
    operatorPerSecond: perSecond(writes),
    ceilingCpu: ceiling.cpu,
    operatorCpu: difference(before, after),
  };
}

async function killAtHalf(ground: Ground, services: number): Promise<Killed> {
  await using judge = await ground.follow();
  await take(ground, services);
  const { changes: first } = await judge.see('all are free', ({ assigned }) => assigned === 0);
  const mark = ground.audit.mark();
  const operator = ground.startOperator();
  await judge.see('half of them are assigned', ({ assigned }) => assigned >= services / 2);
  await operator.kill();
  const successor = ground.startOperator();
  const { changes } = await judge.see('all are assigned', isDone(services));
  const requests = ground.audit.since(mark, users.operator);
  const writes = spanOf(requests, statusWrite);
  await successor.stop();
  const vain = vainIn(requests, changes - first);
  return { seconds: secondsOf(writes), requests: countsOf(requests), vain };
}

/** Accepted status writes beyond the changes that were seen; some of those may be of writes whose answer was lost. */
const vainIn = (requests: Requests, changes: number): number =>
  Math.max(0, spanOf(requests, statusWrite).count - changes);

/** The bare loop takes all addresses away. */
export async function take(
  ground: Ground,
  services: number,
): Promise<{ readonly span: Span; readonly cpu: Cpu }> {
  const mark = ground.audit.mark();
  const before = serverCpu(ground);
  const { cpuSeconds } = await ground.write('clear', services, concurrency);
  const cpu = {
    ...difference({ ...before, writer: 0 }, { ...serverCpu(ground), writer: cpuSeconds }),
  };
  return { span: spanOf(ground.audit.since(mark, users.loop), statusWrite), cpu };
}

const serverCpu = ({ plane }: Ground): Omit<Cpu, 'writer'> => ({
  apiServer: costOf(plane.running('kube-apiserver').pid).cpuSeconds,
  etcd: costOf(plane.running('etcd').pid).cpuSeconds,
});

const difference = (before: Cpu, after: Cpu): Cpu => ({
  writer: after.writer - before.writer,
  apiServer: after.apiServer - before.apiServer,
  etcd: after.etcd - before.etcd,
});

/** Every Service has an address, and no two the same. */
export const isDone = (services: number) => (sight: { assigned: number; distinct: number }) =>
  sight.assigned === services && sight.distinct === services;

const secondsOf = ({ firstMs, lastMs }: Span): number => (lastMs - firstMs) / 1_000;

export const countsOf = (requests: Requests): Readonly<Record<string, number>> =>
  Object.fromEntries(Array.from(requests, ([name, { count }]) => [name, count] as const));
