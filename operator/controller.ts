import type { ResourceEvent } from '@dot-i/k8s-operator';
import { ipAddressPoolKind, l2AdvertisementKind } from '../crds/names.ts';
import type { EventRecorder } from '../kube/events.ts';
import { type Kind, kinds } from '../kube/kinds.ts';
import {
  type EndpointSlice,
  keyOf,
  type Namespace,
  type Node,
  type Service,
} from '../kube/object.ts';
import { KeyedQueue } from '../kube/queue.ts';
import { mergePatch } from '../kube/write.ts';
import { adopt, rehome } from './adopt.ts';
import { Catalogue } from './catalogue.ts';
import { Evasions } from './evasions.ts';
import { Frame, type FrameOptions } from './frame.ts';
import { Judge } from './judge.ts';
import { openHerald } from './herald.ts';
import { leanKinds } from './lean.ts';
import { Ledger } from './ledger.ts';
import { newest } from './newest.ts';
import { isNodePool } from './node-addresses.ts';
import { NodeFollower } from './node-follower.ts';
import { dismiss, type Ports, reconcile } from './reconcile.ts';
import { isAnnounced } from './request.ts';
import { StaleStatuses } from './stale-statuses.ts';
import type { StatusPatch } from './status.ts';
import type { Tally } from './tally.ts';
import { terrainKinds } from './terrain.ts';
import type { World } from './world.ts';

const controllerKinds: readonly Kind[] = [
  kinds.service,
  kinds.namespace,
  kinds.endpointSlice,
  ipAddressPoolKind,
  l2AdvertisementKind,
  ...terrainKinds,
];

export type ControllerOptions = Omit<FrameOptions, 'kinds' | 'keep'> & {
  /** Where pools and advertisements count. */
  readonly namespace: string;
  readonly lbClass: string | undefined;
  /** How long a released address is left alone while others are free. */
  readonly restMs: number;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly tally: Tally;
};

// Requests in flight at once: an API server answers a write in a few milliseconds.
const servicesAtOnce = 16;

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
  readonly #judge: Judge;
  readonly #nodes: NodeFollower;
  readonly #stale: StaleStatuses;
  readonly #written = new Map<string, Service>();
  #adopted = false;
  #endpoints: Promise<void> | undefined;

  constructor(options: ControllerOptions) {
    super({ ...options, kinds: controllerKinds, keep: leanKinds });
    this.#options = options;
    const { namespace, lbClass, restMs, clock, log, random, tally, held } = options;
    this.#catalogue = new Catalogue(() => ({
      pools: [...this.cached(ipAddressPoolKind).values()],
      advertisements: [...this.cached(l2AdvertisementKind).values()],
      namespace,
    }));
    const ledger = new Ledger(restMs);
    const evasions = new Evasions();
    this.#ports = {
      lbClass,
      clock,
      log,
      ledger,
      evasions,
      waiting: new Set(),
      service: (key) =>
        newest(this.cached<Service>(kinds.service).get(key), this.#written.get(key)),
      world: (name) => this.#world(name),
      write: (service, patch, signal) => this.#write(service, patch, signal),
      ...openHerald({ events: options.events, tally, log }),
      retryWaiting: () => this.#retryWaiting(),
      poolChanged: (pool) => this.#judge.poolChanged(pool),
    };
    const pace = { clock, random, log };
    this.#nodes = new NodeFollower({
      ...pace,
      node: (name) => this.cached<Node>(kinds.node).get(name),
      slice: (key) => this.cached<EndpointSlice>(kinds.endpointSlice).get(key),
      onNodes: () => this.#nodesChanged(),
      onServing: (key) => this.#servingChanged(key),
    });
    this.#services = new KeyedQueue({
      ...pace,
      work: async (key) => {
        await this.#knowEndpoints();
        // Not the signal of the queue: who is asked to end lets a write under way come to its end.
        return await reconcile(key, this.#ports, held);
      },
      concurrency: servicesAtOnce,
    });
    this.#stale = new StaleStatuses({
      ...pace,
      transport: options.transport,
      namespace,
      isAnnounced: (key) => isAnnounced(this.cached<Service>(kinds.service).get(key), lbClass),
      held,
    });
    this.#judge = new Judge({
      ...pace,
      namespace,
      ledger,
      tally,
      model: () => this.#catalogue.model,
      nodeWorld: () => this.#nodes.world,
      objects: (kind) => this.cached(kind),
      write: async (kind, object, status) =>
        (await this.patchResourceStatus(this.metaOf(kind, object), status)).resourceVersion,
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
    this.spawn((signal) => this.#judge.run(signal));
    this.spawn((signal) => this.#nodes.run(signal));
    this.spawn((signal) => this.#stale.run(signal));
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
    const keys = adopt({ services, pools, nodeWorld: this.#nodes.world, lbClass }, ledger);
    this.#adopted = true;
    log.info('adopted', { services: ledger.size, pools: pools.length });
    for (const key of keys) this.#services.add(key);
    this.#judge.all();
    this.#stale.lookAtAll();
  }

  #serviceChanged({ meta, type, object }: ResourceEvent): void {
    const key = `${meta.namespace ?? ''}/${meta.name}`;
    const written = this.#written.get(key)?.metadata.resourceVersion;
    const isOwn = written !== undefined && written === object.metadata?.resourceVersion;
    if (type === 'DELETED' || isOwn) this.#written.delete(key);
    this.#stale.look(key);
    if (!this.#adopted) return;
    // At once, not in its turn: by then another Service may go by the same name.
    if (type === 'DELETED') dismiss(key, this.#ports);
    // Our own write says what was decided: there is nothing in it to decide upon again.
    else if (!isOwn) this.#services.add(key);
  }

  #namespaceChanged(name: string): void {
    if (this.#adopted) this.#reconsider(({ metadata }) => metadata.namespace === name);
  }

  /** Endpoints are many: they are followed only from when a pool gives the addresses of nodes. */
  async #knowEndpoints(): Promise<void> {
    if (!this.#catalogue.hasNodePools) return;
    this.#endpoints ??= this.#watch(kinds.endpointSlice, ({ meta }) =>
      this.#nodes.lookAtSlice(`${meta.namespace ?? ''}/${meta.name}`),
    );
    await this.#endpoints;
  }

  #nodesChanged(): void {
    if (!this.#adopted || !this.#catalogue.hasNodePools) return;
    this.#retryWaiting();
    for (const key of this.#ports.ledger.nodePorts.services) this.#services.add(key);
    for (const pool of this.#catalogue.model.pools)
      if (isNodePool(pool)) this.#ports.poolChanged(pool.name);
  }

  #servingChanged(key: string): void {
    const { ledger, waiting } = this.#ports;
    if (ledger.nodePorts.has(key) || waiting.has(key)) this.#services.add(key);
  }

  #poolChanged(event: ResourceEvent): void {
    if (this.#takeNote(ipAddressPoolKind, event) && this.#adopted) this.#poolsChanged();
  }

  #terrainChanged(kind: Kind, { meta: { name, namespace = '' } }: ResourceEvent): void {
    if (kind === kinds.node) this.#nodes.look(name);
    const object = this.cached(kind).get(namespace === '' ? name : `${namespace}/${name}`);
    if (this.#catalogue.survey(kind, name, object) && this.#adopted) this.#poolsChanged();
  }

  #poolsChanged(): void {
    this.#ports.ledger.unbar();
    rehome(this.#catalogue.model.pools, this.#ports.ledger);
    // Those who wait go first: the others keep what they have in any case.
    this.#retryWaiting();
    this.#reconsider(() => true);
    this.#judge.all();
  }

  #advertisementChanged(event: ResourceEvent): void {
    if (this.#takeNote(l2AdvertisementKind, event) && this.#adopted) this.#judge.all();
  }

  /** Whether the model is another one now; a mere change of status is not. */
  #takeNote(kind: Kind, event: ResourceEvent): boolean {
    if (this.#adopted) this.#judge.changed(kind, event);
    const { namespace = '', name } = event.meta;
    const object = this.cached(kind).get(`${namespace}/${name}`);
    return this.#catalogue.take(`${kind.kind}/${namespace}/${name}`, object);
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
    const nodeWorld = this.#nodes.world;
    const { ledger, evasions, clock } = this.#ports;
    const stayMs = (service: string) => evasions.waitMs(service, clock.nowMs());
    return { pools, namespaceLabels, ledger, nodeWorld, stayMs };
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
}
