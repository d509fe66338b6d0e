import type { Candidates } from '../core/action.ts';
import { pulseIntervalMs } from '../core/timing.ts';
import { ApiView, spreadMs } from './api-view.ts';
import { type Core, soundCore } from './core.ts';
import { everyNode } from './every-node.ts';
import { FakeSegment, socketFrames } from './fake-segment.ts';
import { expectRelief, Router, routerForgottenMs, setHealth } from './illness.ts';
import { Judge } from './judge.ts';
import { type Random, seeded } from './random.ts';
import type { Violation } from './rule.ts';
import { type Fault, quietMs, type Schedule, settledAtMs } from './schedule.ts';
import { Timeline } from './timeline.ts';
import type { Tolerated } from './tolerance.ts';

type Outcome = {
  readonly violations: readonly Violation[];
  /** The same for the same schedule. */
  readonly digest: string;
};

const pulseMs = 100;

/** Plays a schedule and judges it by the invariants. `onTrace` gets what happened, line by line. */
export function play(
  schedule: Schedule,
  { core = soundCore, onTrace }: { core?: Core; onTrace?: (line: string) => void } = {},
): Outcome {
  const { seed, nodes, addresses, faults } = schedule;
  const timeline = new Timeline();
  const random = seeded(seed);
  const stage = Array.from({ length: schedule.links }, (_, link) =>
    openLink(schedule, { link, timeline, core, onTrace }),
  );
  const plan = everyNode(stage[0]?.lan.nodes ?? [], addresses);
  for (const { lan } of stage) {
    lan.plan(plan);
  }
  for (let node = 0; node < nodes; node++) {
    timeline.at(random.between(0, 200), () => {
      for (const { lan } of stage) startNumber(lan, node);
    });
  }
  timeline.at(settledAtMs(nodes) - 1, () => {
    for (const { judge } of stage) judge.lookAtSpread();
  });
  timeline.at(schedule.eatsFromMs, () => {
    for (const { lan, judge } of stage) {
      lan.wire.eats = schedule.eats;
      // Until they miss each other's frames, nodes do not know that they need datagrams.
      if (schedule.eatsFromMs > 0) judge.blackout(schedule.eatsFromMs + 10 * pulseMs);
    }
  });
  for (const fault of faults) {
    timeline.at(fault.atMs, () =>
      strike(stage, fault, { plan, random, detourMs: schedule.detourMs }),
    );
    timeline.at(fault.untilMs, () => mend(stage, fault, plan));
  }
  const quietFromMs = Math.max(settledAtMs(nodes), ...faults.map(({ untilMs }) => untilMs));
  timeline.at(quietFromMs, () => {
    for (const one of stage) one.lan.wire.loss = 0;
  });
  const restAtMs = quietFromMs + spreadMs + quietMs(schedule);
  timeline.runUntil(restAtMs);
  const framesBefore = stage.map(({ lan }) => lan.frames);
  timeline.runUntil(restAtMs + 500);
  for (const [link, { lan, judge }] of stage.entries()) {
    judge.lookAtRest();
    if (schedule.eats === 'nothing')
      judge.lookAtFrames(lan.frames - (framesBefore[link] ?? 0), 500);
  }
  return {
    violations: stage.flatMap(({ judge }) => judge.violations),
    digest: stage.map(({ lan }) => lan.traceDigest()).join(' '),
  };
}

type Stage = readonly {
  readonly lan: FakeSegment;
  readonly judge: Judge;
  readonly router: Router;
  readonly api: ApiView;
}[];

function openLink(
  schedule: Schedule,
  on: {
    link: number;
    timeline: Timeline;
    core: Core;
    onTrace: ((line: string) => void) | undefined;
  },
): Stage[number] {
  const { seed, nodes, loss, duplication, slowestFrameMs, drift, detourMs } = schedule;
  const { link, timeline, core, onTrace } = on;
  const wire = { loss, duplication, delayMs: { low: 0.05, high: slowestFrameMs }, detourMs };
  const lan = new FakeSegment({ seed: seed + link, nodes, wire, core, timeline });
  if (onTrace !== undefined) lan.onTrace = (line) => onTrace(`link ${link} ${line}`);
  // One machine has one clock, whatever the link.
  const random = seeded(seed);
  for (const node of lan.nodes) {
    node.virtualSwitch = random.integer(0, schedule.switches - 1);
    if (drift > 0) node.skew(random.between(0, 1e7), random.between(1 - drift, 1 + drift));
  }
  const judge = new Judge(lan, tolerated(schedule));
  return { lan, judge, router: new Router(lan, judge), api: new ApiView(lan) };
}

/** Where frames are lost, a pulse or a claim may take several tries. */
function tolerated({ nodes, loss, eats, slowestFrameMs, drift }: Schedule): Tolerated {
  const intervalMs = pulseIntervalMs(pulseMs, nodes) * (1 + 2 * drift);
  const exchangeMs = 4 * slowestFrameMs + 1000 * drift;
  return {
    pulseMs: intervalMs,
    exchangeMs: loss === 0 ? exchangeMs : 15 * intervalMs + exchangeMs,
    rediscoveryMs: eats === 'nothing' ? 0 : 1200,
    lossy: loss > 0 || eats === 'everything',
    apart: eats === 'everything',
  };
}

function startNumber(lan: FakeSegment, number: number): void {
  const node = lan.nodes[number];
  if (node !== undefined) lan.start(node);
}

type Circumstances = {
  readonly plan: Candidates;
  readonly random: Random;
  readonly detourMs: number | undefined;
};

function strike(stage: Stage, fault: Fault, { plan, random, detourMs }: Circumstances): void {
  if (fault.kind === 'replan') {
    const some = [...plan].map(([address, all]) => {
      const few = all.filter(() => random.chance(0.7));
      return [address, few.length === 0 ? all : few] as const;
    });
    replan(stage, new Map(some));
    return;
  }
  if (fault.kind === 'falseAlarm') {
    alarm(stage[fault.link], fault, random);
    return;
  }
  for (const [link, { lan, judge, router, api }] of stage.entries()) {
    const node = lan.node(fault.node);
    const wasCalm = judge.isCalm;
    switch (fault.kind) {
      case 'crash':
        judge.expectTakeover(node);
        judge.disturb(node);
        lan.crash(node);
        break;
      case 'pause':
      case 'freeze':
        judge.disturb(node);
        lan.pause(node, fault.kind === 'freeze' ? 0 : socketFrames);
        break;
      case 'leave':
        judge.disturb(node);
        judge.expectNoGap(node, wasCalm);
        lan.leave(node);
        break;
      case 'split':
        if (link !== fault.link) continue;
        judge.regroup(node);
        lan.setSide(node, 1);
        break;
      case 'linkDown':
        if (link !== fault.link) continue;
        judge.expectTakeover(node, detourMs);
        judge.disturb(node);
        lan.setLink(node, false);
        break;
      case 'sick':
        if (link !== fault.link) continue;
        judge.disturb(node);
        judge.expectNoGap(node, wasCalm);
        setHealth(lan, node, 'sick');
        if (wasCalm) expectRelief(lan, judge, node);
        break;
      case 'routerDead':
        if (link !== fault.link) continue;
        judge.expectNoGaps(wasCalm);
        router.kill({ deadMs: fault.untilMs - fault.atMs - routerForgottenMs, random });
        break;
      case 'blackout':
        if (link !== fault.link) continue;
        judge.blackout(fault.untilMs);
        lan.deafUntilMs = fault.untilMs;
        break;
    }
    judge.lookAtAll();
    api.learn();
  }
}

/**
 * The node takes an address from a holder of which it hears. Real witnesses ask for seconds before they do: no holder that
 * stands still lasts as long without being found dead.
 */
function alarm(one: Stage[number] | undefined, fault: Fault, random: Random): void {
  const node = one?.lan.node(fault.node);
  const { segment } = node ?? {};
  const held = [...(segment?.claims ?? [])].flatMap(([address, { holder, term }]) => {
    const isFalse = holder !== undefined && one?.lan.node(holder).paused === false;
    return isFalse && holder !== fault.node ? { address, holder, term } : [];
  });
  if (one === undefined || node === undefined || held.length === 0) return;
  const claim = random.pick(held);
  const holder = one.lan.node(claim.holder);
  const wasCalm = one.judge.isCalm;
  one.judge.disturb(holder);
  one.judge.expectNoGap(holder, wasCalm);
  one.lan.step(node, { kind: 'unanswered', ...claim });
}

function mend(stage: Stage, fault: Fault, plan: Candidates): void {
  if (fault.kind === 'falseAlarm') return;
  if (fault.kind === 'replan') {
    replan(stage, plan);
    return;
  }
  for (const [link, { lan, judge, router, api }] of stage.entries()) {
    const node = lan.node(fault.node);
    switch (fault.kind) {
      case 'crash':
      case 'leave':
        judge.disturb(node);
        if (fault.kind === 'leave') lan.crash(node);
        api.boot(node);
        lan.start(node);
        break;
      case 'pause':
      case 'freeze':
        judge.disturb(node);
        if (fault.kind === 'freeze') judge.thaw(fault.atMs);
        lan.resume(node);
        judge.lookAtThawed(node);
        break;
      case 'split':
        if (link !== fault.link) continue;
        judge.regroup(node);
        lan.setSide(node, 0);
        break;
      case 'linkDown':
        if (link !== fault.link) continue;
        judge.disturb(node);
        lan.setLink(node, true);
        break;
      case 'sick':
        if (link !== fault.link) continue;
        judge.ail();
        setHealth(lan, node, 'well');
        break;
      case 'routerDead':
        if (link === fault.link) router.mend();
        break;
      case 'blackout':
        break;
    }
    judge.lookAtAll();
    api.learn();
  }
}

function replan(stage: Stage, plan: Candidates): void {
  for (const { lan, judge } of stage) {
    judge.replan(spreadMs);
    lan.plan(plan, spreadMs);
  }
}
