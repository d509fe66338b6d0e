import type { ResourceEvent } from '@dot-i/k8s-operator';
import { problemsOf } from '../crds/model.ts';
import { ipAddressPoolKind, l2AdvertisementKind } from '../crds/names.ts';
import type { EventRecorder } from '../kube/events.ts';
import { type Kind, kinds } from '../kube/kinds.ts';
import { keyOf, type Namespace, type Service } from '../kube/object.ts';
import { KeyedQueue } from '../kube/queue.ts';
import { mergePatch } from '../kube/write.ts';
import { formatAddress } from '../net/address.ts';
import { adopt } from './adopt.ts';
import type { World } from './allocate.ts';
import { Catalogue } from './catalogue.ts';
import { Frame, type FrameOptions } from './frame.ts';
import { Ledger } from './ledger.ts';
import { newest } from './newest.ts';
import {
  changeObjectStatus,
  type Counts,
  type Judged,
  type PoolUse,
  readUse,
} from './pool-status.ts';
import type { Reason } from './reasons.ts';
import { dismiss, type Ports, reconcile } from './reconcile.ts';
import type { News, Standing, StatusPatch } from './status.ts';
import { terrainKinds } from './terrain.ts';

export const controllerKinds: readonly Kind[] = [
  kinds.service,
  kinds.namespace,
  ipAddressPoolKind,
  l2AdvertisementKind,
  ...terrainKinds,
];

export type ControllerOptions = Omit<FrameOptions, 'kinds'> & {
  /** Where pools and advertisements count. */
  readonly namespace: string;
  readonly lbClass: string | undefined;
  /** How long a released address is left alone while others are free. */
  readonly restMs: number;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly tally: Tally;
};

/** Where numbers go. */
export type Tally = {
  assigned(pool: string): void;
  refused(reason: Reason): void;
  pool(name: string, counts: Counts): void;
  poolGone(name: string): void;
  /** Forgets what is true only for the leader. */
  reset(): void;
};

// Requests in flight at once: an API server answers a write in a few milliseconds.
const servicesAtOnce = 16;
const statusesAtOnce = 4;

/** The numbers of a pool follow within this time: a burst of assignments is one write per pool. */
const statusDelayMs = 500;

/**
 * Gives Services their addresses, for one term of leadership. It begins with an empty ledger:
 * nothing is decided before all Services, pools and namespaces have been read and what the
 * Services hold has been adopted.
 */
export class Controller extends Frame {
  readonly #options: ControllerOptions;
  readonly #ports: Ports;
  readonly #catalogue: Catalogue;
  readonly #services: KeyedQueue;
  readonly #statuses: KeyedQueue;
  readonly #written = new Map<string, Service>();
  readonly #judged = new Map<string, Judged>();
  #adopted = false;

  constructor(options: ControllerOptions) {
    super({ ...options, kinds: controllerKinds });
    this.#options = options;
    const { namespace, lbClass, restMs, clock, log, random, held } = options;
    this.#catalogue = new Catalogue(() => ({
      pools: [...this.cached(ipAddressPoolKind).values()],
      advertisements: [...this.cached(l2AdvertisementKind).values()],
      namespace,
    }));
    this.#ports = {
      lbClass,
      clock,
      log,
      ledger: new Ledger(restMs),
      waiting: new Set(),
      service: (key) =>
        newest(this.cached<Service>(kinds.service).get(key), this.#written.get(key)),
      world: (name) => this.#world(name),
      write: (service, patch, signal) => this.#write(service, patch, signal),
      tell: (service, news, standing) => this.#tell(service, news, standing),
      retryWaiting: () => this.#retryWaiting(),
      poolChanged: (pool) =>
        this.#statuses.addAfter(`${ipAddressPoolKind.kind}/${namespace}/${pool}`, statusDelayMs),
    };
    const pace = { clock, random, log };
    this.#services = new KeyedQueue({
      ...pace,
      // Not the signal of the queue: who is asked to end lets a write under way come to its end.
      work: (key) => reconcile(key, this.#ports, held),
      concurrency: servicesAtOnce,
    });
    this.#statuses = new KeyedQueue({
      ...pace,
      work: (key) => this.#judge(key),
      concurrency: statusesAtOnce,
    });
  }

  protected override async init(): Promise<void> {
    await Promise.all([
      this.#watch(kinds.service, (event) => this.#serviceChanged(event)),
      this.#watch(kinds.namespace, ({ meta }) => this.#namespaceChanged(meta.name)),
      this.#watch(ipAddressPoolKind, (event) => this.#poolChanged(event)),
      this.#watch(l2AdvertisementKind, (event) => this.#advertisementChanged(event)),
      ...terrainKinds.map((kind) => this.#watchTerrain(kind)),
    ]);
    this.#adopt();
    this.spawn((signal) => this.#services.run(signal));
    this.spawn((signal) => this.#statuses.run(signal));
  }

  #watch(
    { group, version, plural }: Kind,
    react: (event: ResourceEvent) => void,
    namespace?: string,
  ): Promise<void> {
    return this.watchResource(group, version, plural, async (event) => react(event), namespace);
  }

  /** What an API server does not have, it says nothing about: Kubernetes before 1.33 has no ServiceCIDRs. */
  async #watchTerrain(kind: Kind): Promise<void> {
    if (!(await this.serves(kind))) return;
    const { namespace } = this.#options;
    await this.#watch(
      kind,
      (event) => this.#terrainChanged(kind, event),
      kind.namespaced ? namespace : undefined,
    );
  }

  /** From here on the ledger knows who holds what, and decisions may be taken. */
  #adopt(): void {
    const { lbClass, log } = this.#options;
    const services = this.cached<Service>(kinds.service).values();
    const { pools } = this.#catalogue.model;
    const { ledger } = this.#ports;
    const keys = adopt({ services, pools, lbClass }, ledger);
    this.#adopted = true;
    log.info('adopted', { services: ledger.size, pools: pools.length });
    for (const key of keys) this.#services.add(key);
    this.#judgeAll();
  }

  #serviceChanged({ meta, type, object }: ResourceEvent): void {
    const key = `${meta.namespace ?? ''}/${meta.name}`;
    const written = this.#written.get(key)?.metadata.resourceVersion;
    const isOwn = written !== undefined && written === object.metadata?.resourceVersion;
    if (type === 'DELETED' || isOwn) this.#written.delete(key);
    if (!this.#adopted) return;
    // At once, not in its turn: by then another Service may go by the same name.
    if (type === 'DELETED') dismiss(key, this.#ports);
    // Our own write says what was decided: there is nothing in it to decide upon again.
    else if (!isOwn) this.#services.add(key);
  }

  #namespaceChanged(name: string): void {
    if (this.#adopted) this.#reconsider(({ metadata }) => metadata.namespace === name);
  }

  #poolChanged(event: ResourceEvent): void {
    if (this.#takeNote(ipAddressPoolKind, event) && this.#adopted) this.#poolsChanged();
  }

  #terrainChanged(kind: Kind, { meta: { name, namespace = '' } }: ResourceEvent): void {
    const object = this.cached(kind).get(namespace === '' ? name : `${namespace}/${name}`);
    if (this.#catalogue.survey(kind, name, object) && this.#adopted) this.#poolsChanged();
  }

  #poolsChanged(): void {
    this.#ports.ledger.unbar();
    // Those who wait go first: the others keep what they have in any case.
    this.#retryWaiting();
    this.#reconsider(() => true);
    this.#judgeAll();
  }

  #advertisementChanged(event: ResourceEvent): void {
    if (this.#takeNote(l2AdvertisementKind, event) && this.#adopted) this.#judgeAll();
  }

  /** Whether the model is another one now; a mere change of status is not. */
  #takeNote(kind: Kind, { meta: { namespace = '', name }, type, object }: ResourceEvent): boolean {
    const key = `${kind.kind}/${namespace}/${name}`;
    const judged = this.#judged.get(key)?.metadata.resourceVersion;
    if (type === 'DELETED' || judged === object.metadata?.resourceVersion) this.#judged.delete(key);
    // Gone, or edited by hand: its status and its numbers are looked at in any case. Not at once: our own write
    // comes back here, too, and in a burst the numbers are others by then.
    if (this.#adopted) this.#statuses.addAfter(key, statusDelayMs);
    return this.#catalogue.take(key, this.cached(kind).get(`${namespace}/${name}`));
  }

  #reconsider(concerned: (service: Service) => boolean): void {
    for (const service of this.cached<Service>(kinds.service).values()) {
      if (concerned(service)) this.#services.add(keyOf(service));
    }
  }

  #retryWaiting(): void {
    for (const key of this.#ports.waiting) this.#services.add(key);
  }

  #world(namespace: string): World {
    const { metadata } = this.cached<Namespace>(kinds.namespace).get(namespace) ?? {};
    const { pools } = this.#catalogue.model;
    const namespaceLabels = metadata === undefined ? undefined : (metadata.labels ?? {});
    return { pools, namespaceLabels, ledger: this.#ports.ledger };
  }

  async #write(service: Service, patch: StatusPatch, signal: AbortSignal): Promise<void> {
    const { namespace, name } = service.metadata;
    const target = { kind: kinds.service, namespace, name, subresource: 'status' } as const;
    const { transport } = this.#options;
    const written = await mergePatch<Service>(transport, target, patch, signal);
    const key = keyOf(service);
    // The watch may have been faster; what it has brought already, it does not bring again.
    const read = this.cached<Service>(kinds.service).get(key);
    if (newest(read, written) === written) this.#written.set(key, written);
  }

  #tell(service: Service, { type, reason, message }: News, standing: Standing): void {
    const { events, tally, log } = this.#options;
    const { addresses, pool, refusal } = standing;
    const about = { ...service, apiVersion: 'v1', kind: kinds.service.kind };
    events.record(about, { type, reason, message });
    const fields = { service: keyOf(service), reason, addresses: addresses.map(formatAddress) };
    if (refusal === undefined) {
      tally.assigned(pool);
      log.info('assigned', { ...fields, pool });
    } else {
      tally.refused(refusal.reason);
      log.info('refused', { ...fields, detail: refusal.detail });
    }
  }

  #judgeAll(): void {
    for (const kind of [ipAddressPoolKind, l2AdvertisementKind]) {
      for (const object of this.cached(kind).values()) {
        this.#statuses.add(`${kind.kind}/${keyOf(object)}`);
      }
    }
  }

  /** Writes what there is to say on a pool or an advertisement, if it does not say so already. */
  async #judge(key: string): Promise<void> {
    const [kindName = '', namespace = '', name = ''] = key.split('/');
    const pooled = kindName === ipAddressPoolKind.kind;
    const kind = pooled ? ipAddressPoolKind : l2AdvertisementKind;
    const use = pooled ? this.#useOf(namespace, name) : undefined;
    const read = this.cached<Judged>(kind).get(`${namespace}/${name}`);
    const object = newest(read, this.#judged.get(key));
    if (object === undefined) return;
    const about = { kind: pooled ? 'IPAddressPool' : 'L2Advertisement', namespace, name } as const;
    const problems = problemsOf(this.#catalogue.model, about);
    const judgement = { problems, now: this.#options.clock.wall() };
    const status = changeObjectStatus(object, judgement, use);
    if (status === undefined) return;
    const { resourceVersion } = await this.patchResourceStatus(this.metaOf(kind, object), status);
    const metadata = { ...object.metadata, ...(resourceVersion && { resourceVersion }) };
    this.#judged.set(key, { ...object, metadata, status: { ...object.status, ...status } });
  }

  #useOf(namespace: string, name: string): PoolUse {
    const { ledger } = this.#ports;
    // The numbers under that name are those of the pool where pools count.
    if (namespace !== this.#options.namespace) return readUse('', undefined, ledger);
    const pool = this.#catalogue.model.pools.find((each) => each.name === name);
    const use = readUse(name, pool, ledger);
    if (pool === undefined) this.#options.tally.poolGone(name);
    else this.#options.tally.pool(name, use);
    return use;
  }
}
