import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import type { Observer } from './observer.ts';
import { type Kept, readPlanFile, writePlanFile } from './plan-file.ts';
import { type Speaker, speakersOf } from './roster.ts';
import { inCommon } from './plan-change.ts';
import { type Plan, planFor, type PlanSettings, type Silent } from './plan.ts';

/** Changes come in flocks: what comes within this time makes one plan. */
const gatherMs = 10;
/** A plan of ten thousand addresses takes a tenth of a second; while they all change, most of the time is for other work. */
const restFactor = 3;
/** How long a start waits for the API server before it goes by the plan of its last life. */
const patienceMs = 3000;

type Surroundings = {
  readonly observer: Pick<Observer, 'world' | 'synced'>;
  readonly settings: PlanSettings;
  readonly stateDir: string | undefined;
  readonly onPlan: (plan: Plan, speakers: readonly Speaker[]) => void;
  /** Where the speakers' own Service is. */
  readonly namespace: string;
  readonly clock: Clock;
  readonly log: Log;
};

/** Makes a new plan whenever the world has changed. Where nothing can be found out, the plan stays as it is. */
export class Planner {
  readonly #surroundings: Surroundings;
  #changed = Promise.withResolvers<void>();
  #plan: Plan | undefined;
  #speakers: readonly Speaker[] = [];
  #silent = new Map<string, Silent>();
  #nodeKnown = true;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** Whether there is a plan, from the API server or from disk. */
  get hasPlan(): boolean {
    return this.#plan !== undefined;
  }

  /** Something changed: plan again soon. */
  readonly change = (): void => {
    this.#changed.resolve();
  };

  async run(signal: AbortSignal): Promise<void> {
    const { observer, clock } = this.#surroundings;
    const synced = observer.synced();
    const late = clock.sleep(patienceMs, signal).then(() => this.#adoptKept());
    // Whichever ends the wait, the other's end is no news.
    late.catch(() => {});
    await synced;
    signal.throwIfAborted();
    signal.addEventListener('abort', this.change, { once: true });
    for (;;) {
      this.#changed = Promise.withResolvers();
      const beganMs = clock.nowMs();
      this.#replan();
      const restUntilMs = clock.nowMs() + (clock.nowMs() - beganMs) * restFactor;
      await this.#changed.promise;
      await clock.sleep(Math.max(gatherMs, restUntilMs - clock.nowMs()), signal);
    }
  }

  #adoptKept(): void {
    const { stateDir, log, onPlan } = this.#surroundings;
    if (this.#plan !== undefined || stateDir === undefined) return;
    const kept = readPlanFile(stateDir);
    if (kept.plan === undefined) {
      log.warn('no API server and no kept plan', { reason: kept.reason });
      return;
    }
    log.warn('no API server: going by the kept plan', { addresses: kept.plan.size });
    this.#plan = kept.plan;
    this.#speakers = kept.speakers;
    onPlan(kept.plan, kept.speakers);
  }

  #replan(): void {
    const { observer, settings, onPlan, namespace } = this.#surroundings;
    const world = observer.world();
    this.#missNode(world.nodes.some(({ metadata }) => metadata.name === settings.node));
    const { plan: planned, silent } = planFor(world, settings);
    this.#explain(silent);
    const plan = inCommon(this.#plan, planned);
    const speakers = speakersOf(world, namespace);
    if (plan === this.#plan && isDeepStrictEqual(speakers, this.#speakers)) return;
    this.#plan = plan;
    this.#speakers = speakers;
    onPlan(plan, speakers);
    this.#keep({ plan, speakers });
  }

  #keep(kept: Kept): void {
    const { stateDir, log } = this.#surroundings;
    const reason = stateDir === undefined ? undefined : writePlanFile(stateDir, kept);
    if (reason === undefined) return;
    log.warn('the plan could not be kept: a start without API server would announce nothing', {
      stateDir,
      reason,
    });
  }

  /** Says once that the cluster does not know the node that this speaker was told it runs on. */
  #missNode(known: boolean): void {
    const { log, settings } = this.#surroundings;
    if (!known && this.#nodeKnown) {
      log.warn('there is no Node of this name, so nothing will be announced from here', {
        node: settings.node,
        remedy: 'give --node-name the name that `kubectl get nodes` shows',
      });
    }
    this.#nodeKnown = known;
  }

  /** Says once why nobody answers for an address. */
  #explain(silent: readonly Silent[]): void {
    const now = new Map(silent.map((one) => [`${one.service} ${one.address} ${one.reason}`, one]));
    for (const [key, one] of now) {
      if (!this.#silent.has(key)) this.#surroundings.log.info('nobody may announce', { ...one });
    }
    this.#silent = now;
  }
}
