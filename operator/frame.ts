import dot from '@dot-i/k8s-operator';
import type { ResourceEvent, ResourceMeta } from '@dot-i/k8s-operator';
import type { KubernetesObject } from '@kubernetes/client-node';
import type { Clock } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import { backoffMs } from '../kube/backoff.ts';
import { anyOf } from '../kube/deadline.ts';
import { apiVersionOf, type Kind } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { Reflector } from '../kube/reflector.ts';
import type { Change } from '../kube/store.ts';
import { ApiError, type Transport } from '../kube/transport.ts';
import { mergePatch } from '../kube/write.ts';

// The package is CommonJS: its default export arrives as a property of the module.
const { default: Operator, ResourceEventType, ResourceMetaImpl } = dot;

export type FrameOptions = {
  readonly transport: Transport;
  /** Every kind that is watched or written. */
  readonly kinds: readonly Kind[];
  /** What of the objects of a kind is kept in memory; everything, where it says nothing. */
  readonly keep: ReadonlyMap<Kind, (object: KubeObject) => KubeObject>;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => number;
  /** The permission to write: asked before each write leaves, and what is under way when it ends is broken off. */
  readonly held: AbortSignal;
};

/** As long as a watch waits at most before its next attempt. */
const mostWaitMs = 5_000;

/** What a group version of an API server serves. */
type APIResourceList = { readonly resources: readonly { readonly name: string }[] };

/** A copy of all objects of a kind, by `namespace/name`, or `name` where there is no namespace. */
export type Cached<T> = {
  readonly size: number;
  get(key: string): T | undefined;
  values(): IterableIterator<T>;
};

/**
 * The `Operator` of @dot-i/k8s-operator on our own connection to the API server. What we use of it that goes
 * over the network is replaced, one method each; docs/decisions/operator-frame.md says why.
 */
export abstract class Frame extends Operator {
  readonly #options: FrameOptions;
  readonly #stopping = new AbortController();
  readonly #working: AbortSignal;
  readonly #tasks = new Set<Promise<void>>();
  readonly #reflectors = new Map<string, Reflector<KubeObject>>();
  #broken: { readonly error: unknown } | undefined;

  constructor(options: FrameOptions) {
    super(loggerFor(options.log));
    this.#options = options;
    this.#working = anyOf(options.held, this.#stopping.signal);
  }

  /** Starts, and goes on until the signal is aborted; writes under way come to their end. Rejects with what broke inside. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.stop();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) this.stop();
    try {
      this.spawn(() => this.start());
      await aborted(this.#working);
    } finally {
      signal.removeEventListener('abort', stop);
      while (this.#tasks.size > 0) await Promise.all(this.#tasks);
    }
    if (this.#broken !== undefined) throw this.#broken.error;
  }

  override stop(): void {
    this.#stopping.abort();
  }

  /** Runs a task for as long as the frame; its failure ends the frame. */
  protected spawn(task: (signal: AbortSignal) => Promise<void>): void {
    const signal = this.#working;
    const failed = (error: unknown) => {
      if (signal.aborted) return;
      this.#broken = { error };
      this.stop();
    };
    const running: Promise<void> = task(signal)
      .catch(failed)
      .finally(() => this.#tasks.delete(running));
    this.#tasks.add(running);
  }

  /** Follows a kind; resolves after the first complete list, whose objects come as events, too. */
  // oxlint-disable-next-line max-params -- the signature is that of the package
  protected override async watchResource(
    group: string,
    version: string,
    plural: string,
    onEvent: (event: ResourceEvent) => Promise<void>,
    namespace?: string,
  ): Promise<void> {
    const kind = this.#kind(`${plural}.${group === '' ? version : `${group}/${version}`}`);
    const { transport, log, clock, random } = this.#options;
    const keep = this.#options.keep.get(kind);
    const tell = (change: Change<KubeObject>) => this.spawn(() => onEvent(eventOf(plural, change)));
    const reflector = new Reflector<KubeObject>({
      transport,
      kind,
      ...(namespace === undefined ? {} : { namespace }),
      ...(keep === undefined ? {} : { keep }),
      onChange: tell,
      log,
      clock,
      random,
    });
    this.#reflectors.set(idOf(kind), reflector);
    this.spawn((signal) => reflector.run(signal));
    await reflector.synced;
  }

  /** Whether the API server knows a kind, which depends on its version; asks until there is an answer. */
  protected async serves(kind: Kind): Promise<boolean> {
    const { transport, log, clock, random } = this.#options;
    const path = `/${kind.group === '' ? 'api' : 'apis'}/${apiVersionOf(kind)}`;
    const signal = this.#working;
    for (let failures = 1; ; failures++) {
      try {
        const { resources } = await transport.call<APIResourceList>(
          { method: 'GET', path },
          signal,
        );
        return resources.some(({ name }) => name === kind.plural);
      } catch (error) {
        if (error instanceof ApiError && error.code === 404) return false;
        if (signal.aborted) throw error;
        // A single failure is daily life.
        if (failures === 2) log.warn('cannot ask which kinds are served', { path, error });
      }
      await clock.sleep(backoffMs(failures, random, { mostMs: mostWaitMs }), signal);
    }
  }

  /** The objects of a kind that is watched, as last seen. */
  protected cached<T extends KubeObject>(kind: Kind): Cached<T> {
    const cached: Cached<KubeObject> | undefined = this.#reflectors.get(idOf(kind));
    if (cached === undefined) throw new Error(`${idOf(kind)} is not watched`);
    // What the API server serves under a kind has the shape of that kind.
    return cached as Cached<T>;
  }

  /** How the package refers to an object. */
  protected metaOf(kind: Kind, object: KubeObject): ResourceMeta {
    return ResourceMetaImpl.createWithPlural(kind.plural, typed(object));
  }

  protected override async patchResourceStatus(
    { id, namespace, name, resourceVersion }: ResourceMeta,
    status: unknown,
  ): Promise<ResourceMeta> {
    const target = { kind: this.#kind(id), namespace, name, subresource: 'status' } as const;
    const { transport, held } = this.#options;
    const patch = { metadata: { resourceVersion }, status };
    const answer = await mergePatch<KubeObject>(transport, target, patch, held);
    return ResourceMetaImpl.createWithId(id, typed(answer));
  }

  #kind(id: string): Kind {
    const kind = this.#options.kinds.find((each) => idOf(each) === id);
    if (kind === undefined) throw new Error(`${id} is not a kind that this operator handles`);
    return kind;
  }
}

/** As the package names a kind: `services.v1`, `ipaddresspools.metallb.io/v1beta1`. */
const idOf = (kind: Kind): string => `${kind.plural}.${apiVersionOf(kind)}`;

const eventTypes = {
  added: ResourceEventType.Added,
  changed: ResourceEventType.Modified,
  deleted: ResourceEventType.Deleted,
};

const eventOf = (plural: string, { kind, object }: Change<KubeObject>): ResourceEvent => ({
  meta: ResourceMetaImpl.createWithPlural(plural, typed(object)),
  type: eventTypes[kind],
  object: typed(object),
});

/** client-node declares times as Date; as JSON brings them, and as we keep them, they are text. */
const typed = (object: KubeObject): KubernetesObject => object as unknown as KubernetesObject;

const loggerFor = (log: Log) => ({
  debug: (detail: string) => log.debug('frame', { detail }),
  info: (detail: string) => log.info('frame', { detail }),
  warn: (detail: string) => log.warn('frame', { detail }),
  error: (detail: string) => log.error('frame', { detail }),
});

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}
