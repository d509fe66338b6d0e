import { Metrics } from '../daemon/metrics.ts';
import type { Holdings } from './holdings.ts';
import type { Fact, LinkCounts, Witnessed } from './orders.ts';

/** Seconds, about a pulse interval apart where a takeover should lie. */
const takeoverBuckets = [0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 1, 2, 5];

/** The speaker's metrics; names that MetalLB has are MetalLB's. */
export class SpeakerMetrics {
  readonly metrics = new Metrics();
  readonly #questions = this.#perLink(
    'metallb_layer2_requests_received',
    'Questions about held addresses',
  );
  readonly #answers = this.#perLink('metallb_layer2_responses_sent', 'Answers to them');
  readonly #kernelAnswers = this.#perLink(
    'mercurylb_kernel_answers',
    'Those of the answers that the kernel gave by itself',
  );
  readonly #announcements = this.#perLink(
    'metallb_layer2_gratuitous_sent',
    'Announcements that nobody asked for',
  );
  readonly #refused = this.#perLink(
    'mercurylb_frames_refused',
    'Frames of the speakers that no key had sealed',
  );
  readonly #peers = this.#perLink('mercurylb_peers', 'Other speakers heard');
  readonly #witnessed = this.#perLink(
    'mercurylb_witness_questions_total',
    'Questions on the wire for addresses that other nodes hold',
  );
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
  readonly #quarantined = this.#perLink(
    'mercurylb_quarantined_addresses',
    'Addresses that are not announced because another station has them',
  );
  readonly #foreignClaims = this.metrics.counter({
    name: 'mercurylb_foreign_claims_total',
    help: 'Claims of other stations to addresses that are claimed here',
    labels: ['link'],
  });
  /** Sessions count from their beginning. */
  readonly #countedClaims = new Map<string, number>();
  readonly #moves = this.metrics.counter({
    name: 'mercurylb_addresses_taken_total',
    help: 'Addresses that this node began to answer for, by the reason why',
    labels: ['reason'],
  });
  readonly #detection = this.metrics.histogram({
    name: 'mercurylb_detection_seconds',
    help: 'Silence of a dead holder before its address was taken over',
    buckets: takeoverBuckets,
  });
  readonly #takeover = this.metrics.histogram({
    name: 'mercurylb_takeover_seconds',
    help: 'From the decision to take an address over to its first announcement',
    buckets: takeoverBuckets,
  });

  constructor(node: string, holdings: Pick<Holdings, 'all'>) {
    // Asked for when it is exposed: kept up to date, it would cost more than the addresses themselves.
    this.metrics.gaugesOf(
      {
        name: 'metallb_speaker_announced',
        help: 'Addresses that this node answers for, by Service',
        labels: ['service', 'protocol', 'node', 'ip'],
      },
      () => announced(node, holdings),
    );
  }

  note(fact: Fact): void {
    if (fact.kind === 'counts') this.#count(fact.counts);
    if (fact.kind === 'witnessed') this.#noteFinding(fact);
    if (fact.kind !== 'held') return;
    this.#moves.add(1, { reason: fact.reason });
    this.#takeover.observe(fact.takeoverMs / 1000);
    if (fact.silentMs !== undefined) this.#detection.observe(fact.silentMs / 1000);
  }

  #noteFinding({ link, finding }: Witnessed): void {
    if (finding === 'Right') return;
    this.#findings.add(1, { link, finding });
    if (finding === 'Doubled') this.#doubled.add(1, { link });
  }

  #count(counts: readonly LinkCounts[]): void {
    for (const { link, ...seen } of counts) {
      this.#questions.set(seen.questions, { link });
      this.#answers.set(seen.answers, { link });
      this.#kernelAnswers.set(seen.kernelAnswers, { link });
      this.#announcements.set(seen.announcements, { link });
      this.#refused.set(seen.refused, { link });
      this.#witnessed.set(seen.witnessed, { link });
      this.#peers.set(seen.peers, { link });
      this.#quarantined.set(seen.quarantined, { link });
      const before = this.#countedClaims.get(link) ?? 0;
      const since = seen.foreignClaims >= before ? seen.foreignClaims - before : seen.foreignClaims;
      this.#foreignClaims.add(since, { link });
      this.#countedClaims.set(link, seen.foreignClaims);
    }
  }

  #perLink(name: string, help: string) {
    return this.metrics.gauge({ name, help, labels: ['link'] });
  }
}

function* announced(node: string, holdings: Pick<Holdings, 'all'>) {
  for (const { fact, services } of holdings.all()) {
    for (const service of services) {
      yield [1, { service, protocol: 'layer2', node, ip: fact.address }] as const;
    }
  }
}
