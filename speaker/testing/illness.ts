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
  const before = node.health;
  node.checks.set(check, health);
  if (before === 'sick' && node.health !== 'sick') node.sickUntilMs = lan.nowMs;
  lan.step(node, { kind: 'health', health: node.health });
}

/** A router that is back is no news any more after so long. */
export const routerForgottenMs = 2 * checkEveryMs + sureAgainMs;

/** The router of a segment, as each node sees it for itself. */
export class Router {
  readonly #lan: FakeSegment;
  readonly #judge: Judge;
  readonly #courses = new Map<Machine, Course>();
  /** Nodes that will look at it. */
  readonly #looking = new Set<Machine>();
  #backAtMs = -Infinity;
  /** Faults that have killed it and are not over. */
  #faults = 0;

  constructor(lan: FakeSegment, judge: Judge) {
    this.#lan = lan;
    this.#judge = judge;
  }

  /** It is dead: every node finds that out, and that it is back, when it looks the next time. */
  kill({ deadMs, random }: { readonly deadMs: number; readonly random: Random }): void {
    this.#faults++;
    this.#backAtMs = Math.max(this.#backAtMs, this.#lan.nowMs + deadMs);
    for (const node of this.#lan.nodes) {
      if (!this.#courses.has(node)) this.#courses.set(node, fine);
      if (!this.#looking.has(node)) this.#lookIn(random.between(0, checkEveryMs), node);
    }
  }

  #lookIn(ms: number, node: Machine): void {
    this.#looking.add(node);
    this.#lan.timeline.in(ms, () => {
      this.#looking.delete(node);
      this.#look(node);
    });
  }

  #look(node: Machine): void {
    const { nowMs } = this.#lan;
    const before = this.#courses.get(node);
    if (before === undefined) return;
    const course = follow(before, nowMs >= this.#backAtMs, nowMs);
    this.#courses.set(node, course);
    this.#judge.ail();
    setHealth(this.#lan, node, course.health, 'router');
    // One that is back is trusted when its fault is over.
    const isDecided = course.health === 'well' || course.health === 'mending';
    if (!isDecided) this.#lookIn(checkEveryMs, node);
  }

  /** A fault is over: with the last one all trust it again, sooner than in real life. */
  mend(): void {
    this.#faults--;
    if (this.#faults > 0) return;
    this.#courses.clear();
    for (const node of this.#lan.nodes) {
      this.#judge.ail();
      setHealth(this.#lan, node, 'well', 'router');
    }
  }
}

const fine: Course = { health: 'well', failuresInARow: 0, failedAtMs: -Infinity };

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
