import type { Clock } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import type { Happening } from '../kube/event-fold.ts';
import type { EventRecorder } from '../kube/events.ts';
import type { Transport } from '../kube/transport.ts';
import { announcing, chronicle, witnessed } from './chronicle.ts';
import { Herald } from './herald.ts';
import { HolderReports } from './holder-reports.ts';
import { Holdings } from './holdings.ts';
import { L2Report } from './l2-report.ts';
import type { SpeakerMetrics } from './metrics.ts';
import type { Observer } from './observer.ts';
import type { Fact, Held, Witnessed } from './orders.ts';
import type { Plan } from './plan.ts';
import { isFirst, type Speaker } from './roster.ts';
import { StandingReport } from './standing-report.ts';

type Surroundings = {
  readonly node: string;
  readonly namespace: string;
  readonly transport: Transport;
  readonly observer: Pick<Observer, 'synced' | 'service' | 'node'>;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly metrics: Pick<SpeakerMetrics, 'note' | 'noteLook'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

/** Makes known what happens on the wire: in the log, the metrics, the events of Services, and the objects about holders and nodes. */
export class Publisher {
  readonly holdings = new Holdings();
  readonly #surroundings: Surroundings;
  readonly #holders: HolderReports;
  readonly #herald: Herald;
  readonly #standing: StandingReport;
  #speakers: readonly Speaker[] = [];

  constructor(surroundings: Surroundings) {
    const { holdings } = this;
    const { node, observer, metrics, clock, random, log } = surroundings;
    this.#surroundings = surroundings;
    const l2Report = new L2Report(surroundings);
    this.#holders = new HolderReports({
      holdings,
      write: (...what) => l2Report.write(...what),
      isFirst: () => isFirst(node, this.#speakers),
      onOutcome: (outcome) => metrics.noteLook(outcome),
      clock,
      random,
      log,
    });
    this.#herald = new Herald({
      holdings,
      announce: (service, held) => this.#announce(service, held),
      synced: () => observer.synced(),
      clock,
    });
    this.#standing = new StandingReport(surroundings);
  }

  async run(signal: AbortSignal): Promise<void> {
    const parts = [this.#holders, this.#herald, this.#standing];
    await Promise.all(parts.map((part) => part.run(signal)));
  }

  /** What the wire thread has told. */
  note(fact: Fact): void {
    const { clock, metrics, log } = this.#surroundings;
    chronicle(log, fact);
    metrics.note(fact);
    this.#changed(this.holdings.note(fact, clock.wall()));
    if (fact.kind === 'witnessed') this.#testify(fact);
    this.#standing.note(fact);
  }

  /** From now on it is these Services and speakers that are told of. */
  adopt(plan: Plan, speakers: readonly Speaker[]): void {
    this.#speakers = speakers;
    this.#changed(this.holdings.adopt(plan));
  }

  #changed(services: readonly string[]): void {
    this.#holders.changed(services);
    this.#herald.changed(services);
  }

  #announce(service: string, held: Held): void {
    this.#tell(service, announcing(this.#surroundings.node, held));
  }

  #testify(found: Witnessed): void {
    const happening = witnessed(this.#surroundings.node, found);
    if (happening === undefined) return;
    for (const service of this.holdings.servicesOf(found.address)) this.#tell(service, happening);
  }

  #tell(key: string, happening: Happening): void {
    const { observer, events } = this.#surroundings;
    const service = observer.service(key);
    if (service === undefined) return;
    events.record({ ...service, apiVersion: 'v1', kind: 'Service' }, happening);
  }
}
