import { Metrics } from '../daemon/metrics.ts';
import type { CallOutcome } from '../kube/counted.ts';
import { answerBounds, type AnswerTimeCounts } from './answer-times.ts';
import { isSick } from './core/health.ts';
import type { Holdings } from './holdings.ts';
import type { Outcome } from './l2-record.ts';
import type { Fact, LinkCounts, Witnessed } from './orders.ts';

/** Seconds, about a pulse interval apart where a takeover should lie. */
const takeoverBuckets = [0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 1, 2, 5];

/** What is asked for when it is exposed: kept up to date, it would cost more than it tells. */
type Sources = {
  readonly node: string;
  readonly holdings: Pick<Holdings, 'all'>;
  readonly events: { readonly written: number; readonly dropped: number };
  readonly hasPlan: () => boolean;
};

/** The speaker's metrics; names that MetalLB has are MetalLB's. */
export class SpeakerMetrics {
  readonly metrics = new Metrics();
  readonly #findings = this.metrics.counter({
    name: 'mercurylb_witness_findings_total',
    help: 'Addresses of other nodes that were not answered for as they should be, by what was found',
    labels: ['link', 'finding'],
  });
  readonly #doubled = this.metrics.counter({
    name: 'mercurylb_doubled_owners_seen_total',
    help: 'Addresses of other nodes that a second machine answered for, too',
    labels: ['link'],
  });
  #links: readonly LinkCounts[] = [];
  /** By link and check; only what was ever found not to be well. */
  readonly #sick = new Map<
    string,
    readonly [value: number, labels: Readonly<Record<'link' | 'check', string>>]
  >();
  #answerTimes: AnswerTimeCounts = { counts: [], sumSeconds: 0 };
  readonly #taken = this.metrics.counter({
    name: 'mercurylb_addresses_taken_total',
    help: 'Addresses that this node began to answer for, by the reason why',
    labels: ['reason'],
  });
  readonly #yielded = this.metrics.counter({
    name: 'mercurylb_addresses_yielded_total',
    help: 'Addresses that this node stopped answering for, by the reason why',
    labels: ['reason'],
  });
  readonly #takeover = this.metrics.histogram({
    name: 'mercurylb_takeover_seconds',
    help: 'Stages of a takeover: `detection`, silence of the dead holder until it was found dead; `decision`, from there to taking its address; `first_frame`, from there to the first announcement',
    labels: ['stage'],
    buckets: takeoverBuckets,
  });
  readonly #peerChanges = this.metrics.counter({
    name: 'mercurylb_peer_changes_total',
    help: 'Changes of what is thought of another speaker, by what it became',
    labels: ['state'],
  });
  readonly #looks = this.metrics.counter({
    name: 'mercurylb_status_looks_total',
    help: 'Times that a ServiceL2Status was looked at, by what came of it: `keep`, `write` or `remove`',
    labels: ['outcome'],
  });
  readonly #calls = this.metrics.counter({
    name: 'mercurylb_api_calls_total',
    help: 'Calls to the API server but for watches, by how they ended: `Answered`, `Refused` or `Failed`',
    labels: ['method', 'outcome'],
  });
  readonly #updates = this.metrics.counter({
    name: 'metallb_k8s_client_updates_total',
    help: 'Changes of Kubernetes objects that were taken in',
  });

  constructor() {
    this.#exposeLinks();
    this.#exposeHealth();
  }

  /** Tells of these too from now on. */
  expose({ node, holdings, events, hasPlan }: Sources): void {
    const announcedBy = {
      name: 'metallb_speaker_announced',
      help: 'Addresses that this node answers for, by Service',
      labels: ['service', 'protocol', 'node', 'ip'],
    } as const;
    this.metrics.gaugesOf(announcedBy, () => announced(node, holdings));
    const eventsTotal = {
      name: 'mercurylb_events_total',
      help: 'Events written, and those given up because too many waited or the API server would not have them',
      labels: ['outcome'],
    } as const;
    this.metrics.countersOf(eventsTotal, () => [
      [events.written, { outcome: 'written' }],
      [events.dropped, { outcome: 'given_up' }],
    ]);
    const loaded = 'metallb_k8s_client_config_loaded_bool';
    this.metrics.gaugeOf({ name: loaded, help: '1 when there is a plan' }, () => Number(hasPlan()));
  }

  noteCall(method: string, outcome: CallOutcome): void {
    this.#calls.add(1, { method, outcome });
  }

  noteUpdate(): void {
    this.#updates.add(1);
  }

  noteLook(outcome: Outcome['kind']): void {
    this.#looks.add(1, { outcome });
  }

  note(fact: Fact): void {
    if (fact.kind === 'yielded') this.#yielded.add(1, { reason: fact.reason });
    if (fact.kind === 'peer') this.#peerChanges.add(1, { state: fact.state });
    if (fact.kind === 'health') this.#noteHealth(fact);
    if (fact.kind === 'witnessed') this.#noteFinding(fact);
    if (fact.kind === 'gone') this.#forgetHealth(fact.link);
    if (fact.kind === 'counts') {
      this.#links = fact.counts;
      this.#answerTimes = fact.answerTimes;
    }
    if (fact.kind !== 'held') return;
    this.#taken.add(1, { reason: fact.reason });
    this.#observe('detection', fact.silentMs);
    this.#observe('decision', fact.decisionMs);
    this.#observe('first_frame', fact.takeoverMs);
  }

  #observe(stage: 'detection' | 'decision' | 'first_frame', ms: number | undefined): void {
    if (ms !== undefined) this.#takeover.observe(ms / 1000, { stage });
  }

  #noteFinding({ link, finding }: Witnessed): void {
    if (finding === 'Right') return;
    this.#findings.add(1, { link, finding });
    if (finding === 'Doubled') this.#doubled.add(1, { link });
  }

  #noteHealth({ link, check, health }: Fact & { readonly kind: 'health' }): void {
    this.#sick.set(`${link} ${check}`, [isSick(health) ? 1 : 0, { link, check }]);
  }

  #forgetHealth(link: string): void {
    for (const [key, [, labels]] of this.#sick) if (labels.link === link) this.#sick.delete(key);
  }

  #exposeHealth(): void {
    const sick = {
      name: 'mercurylb_sick',
      help: 'Whether this node comes last on a link because a check fails, or failed lately',
      labels: ['link', 'check'],
    } as const;
    this.metrics.gaugesOf(sick, () => this.#sick.values());
  }

  #exposeLinks(): void {
    const counted = (name: string, help: string, read: (counts: LinkCounts) => number) =>
      this.metrics.countersOf({ name, help, labels: ['link'] }, () => this.#perLink(read));
    counted(
      'metallb_layer2_requests_received',
      'Questions about held addresses',
      (counts) => counts.questions,
    );
    counted('metallb_layer2_responses_sent', 'Answers to them', (counts) => counts.answers);
    counted(
      'metallb_layer2_gratuitous_sent',
      'Announcements that nobody asked for',
      (counts) => counts.announcements,
    );
    counted(
      'mercurylb_kernel_answers_total',
      'Those of the answers that the kernel gave by itself',
      (counts) => counts.kernelAnswers,
    );
    counted(
      'mercurylb_frames_refused_total',
      'Frames of the speakers that no key had sealed',
      (counts) => counts.refused,
    );
    counted(
      'mercurylb_pulses_lost_total',
      'Pulses of other speakers that were due and did not come',
      (counts) => counts.pulsesLost,
    );
    counted(
      'mercurylb_doubled_owners_total',
      'Addresses given up to a better claim while both nodes answered for them',
      (counts) => counts.doubledOwners,
    );
    counted(
      'mercurylb_witness_questions_total',
      'Questions on the wire for addresses that other nodes hold',
      (counts) => counts.witnessed,
    );
    counted(
      'mercurylb_foreign_claims_total',
      'Claims of other stations to addresses that are claimed here',
      (counts) => counts.foreignClaims,
    );
    const quarantined = {
      name: 'mercurylb_quarantined_addresses',
      help: 'Addresses that are not announced because another station has them',
      labels: ['link'],
    } as const;
    this.metrics.gaugesOf(quarantined, () => this.#perLink((counts) => counts.quarantined));
    this.metrics.gaugesOf(
      { name: 'mercurylb_peers', help: 'Other speakers heard', labels: ['link'] },
      () => this.#perLink(({ peers }) => peers),
    );
    const name = 'mercurylb_answer_seconds';
    const help = 'How long questions waited in this process; not those that the kernel answered';
    this.metrics.histogramOf({ name, help, buckets: answerBounds }, () => {
      const { counts, sumSeconds: sum } = this.#answerTimes;
      return { counts, sum };
    });
  }

  #perLink(read: (counts: LinkCounts) => number) {
    return this.#links.map((counts) => [read(counts), { link: counts.link }] as const);
  }
}

function* announced(node: string, holdings: Pick<Holdings, 'all'>) {
  for (const { fact, services } of holdings.all()) {
    for (const service of services) {
      yield [1, { service, protocol: 'layer2', node, ip: fact.address }] as const;
    }
  }
}
