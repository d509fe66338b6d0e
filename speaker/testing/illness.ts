import { type Course, follow, type Health, isSick } from '../core/health.ts';
import { checkEveryMs, sureAgainMs } from '../core/timing.ts';
import type { FakeSegment } from './fake-segment.ts';
import type { Judge } from './judge.ts';
import type { Check, Machine } from './machine.ts';
import type { Random } from './random.ts';

/** What a check of a machine says from now on, whether its speaker runs or not. */
export function setHealth(
  lan: FakeSegment,
  node: Machine,
  health: Health,
  check: Check = 'own',
): void {
  node.checks.set(check, health);
  lan.step(node, { kind: 'health', health: node.health });
}

/** A router that is back is no news any more after so long. */
export const routerForgottenMs = 2 * checkEveryMs + sureAgainMs;

/** The router of the segment is dead: every node finds that out, and that it is back, when it looks the next time. */
export function killRouter(
  { lan, judge }: { readonly lan: FakeSegment; readonly judge: Judge },
  { deadMs, random }: { readonly deadMs: number; readonly random: Random },
): void {
  const backAtMs = lan.nowMs + deadMs;
  for (const node of lan.nodes) {
    let course: Course = { health: 'well', failuresInARow: 0, failedAtMs: -Infinity };
    const look = (): void => {
      course = follow(course, lan.nowMs >= backAtMs, lan.nowMs);
      judge.ail();
      setHealth(lan, node, course.health, 'router');
      if (course.health !== 'well' && course.health !== 'mending') {
        lan.timeline.in(checkEveryMs, look);
      }
    };
    lan.timeline.in(random.between(0, checkEveryMs), look);
  }
}

/** They trust it again, sooner than in real life. */
export function trustRouter(lan: FakeSegment, judge: Judge): void {
  for (const node of lan.nodes) {
    judge.ail();
    setHealth(lan, node, 'well', 'router');
  }
}

/** While nothing else happens, a sick node soon holds nothing that a well one can. */
export function expectRelief(lan: FakeSegment, judge: Judge, sick: Machine): void {
  const { disturbances } = judge;
  lan.timeline.in(reliefMs, () => {
    if (judge.disturbances !== disturbances || !isSick(sick.health)) return;
    for (const address of sick.holding) {
      const well = (lan.candidates.get(address) ?? []).filter(
        ({ node: name }) => name !== sick.name && isFit(lan, lan.node(name), sick),
      );
      if (well.length > 0) judge.report('WellFirst', `${sick.name} is sick and holds ${address}`);
    }
  });
}

const isFit = (lan: FakeSegment, node: Machine, sick: Machine): boolean =>
  node.segment?.phase === 'active' &&
  node.isAnswering &&
  node.health === 'well' &&
  lan.connected(node, sick);

/** A few exchanges, and a heir that has to be asked again. */
const reliefMs = 500;
