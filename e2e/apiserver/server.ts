import { randomInt } from 'node:crypto';
import { type Clock, systemClock } from '../../daemon/clock.ts';
import { type Answer, refusalAnswer, type Stream } from './api/answer.ts';
import { type ApiRequest, type Parts, respond, routeOrRefusal } from './api/api.ts';
import { serveExchange } from './exchange.ts';
import { Faults } from './faults.ts';
import { HttpServer, type Place } from './http-server.ts';
import { clone, ensureObject, type JsonObject, textAt } from './json.ts';
import { coreKinds } from './kinds/core.ts';
import { resourcesOf } from './kinds/custom.ts';
import { definitionKind } from './kinds/definition.ts';
import { networkKinds } from './kinds/network.ts';
import { rbacKinds } from './kinds/rbac.ts';
import { serviceKind } from './kinds/service.ts';
import { serviceStrategy } from './kinds/service-strategy.ts';
import { workloadKinds } from './kinds/workloads.ts';
import { timestamp } from './metadata.ts';
import { freshUid } from './names.ts';
import { Objects, type Target } from './objects.ts';
import { Refusal } from './refusal.ts';
import { Registry } from './registry.ts';
import { RequestLog } from './request-log.ts';
import { apiVersionOf, collectionOf, keyOf, type Resource, type Stored } from './resource.ts';
import { Store } from './store.ts';

export type ApiServerOptions = {
  readonly clock?: Clock;
  /** Between 0 and 1, 1 excluded. */
  readonly random?: () => number;
  /** How often a watch that allows them gets a bookmark. */
  readonly bookmarkMs?: number;
  /** How many events each collection remembers; who watches from before gets 410. */
  readonly eventLimit?: number;
  /** Namespaces that exist from the start. */
  readonly namespaces?: readonly string[];
};

/**
 * A Kubernetes API server in memory, for tests and for the lab: plain HTTP, no authentication,
 * everybody may do everything.
 *
 * Known differences from the real one: CEL rules (`x-kubernetes-validations`) are kept and not
 * evaluated; no garbage collection by ownerReferences, propagationPolicy is accepted and ignored; no
 * controllers, so workloads are stored only and a deleted pod goes at once; no conversion between
 * versions of a custom kind besides the version's name; no YAML, CBOR or protobuf; watch lists
 * (`sendInitialEvents`) are not offered; duplicate keys in a JSON body are not noticed.
 */
export class ApiServer implements AsyncDisposable {
  readonly faults: Faults;
  readonly requests = new RequestLog();
  readonly #parts: Parts;
  readonly #servers: HttpServer[] = [];
  readonly #served = new Map<string, AbortController>();

  constructor(options: ApiServerOptions) {
    const { clock = systemClock, random = () => randomInt(2 ** 32) / 2 ** 32 } = options;
    const store = new Store(options.eventLimit ?? 10_000);
    const registry = new Registry();
    const objects = new Objects({ store, registry, clock, random });
    this.faults = new Faults(clock);
    const { bookmarkMs = 30_000 } = options;
    const servedSignal = (resource: Resource) => this.#controllerOf(resource).signal;
    this.#parts = { store, registry, objects, clock, random, bookmarkMs, servedSignal };
    for (const resource of this.#builtInKinds()) registry.add(resource);
    const start = options.namespaces ?? [
      'default',
      'kube-system',
      'kube-public',
      'kube-node-lease',
    ];
    for (const name of start)
      this.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }

  /** Listens at one more place; resolves with its URL, `unix:PATH` for a socket. */
  async listen(place: Place = { host: '127.0.0.1', port: 0 }): Promise<string> {
    const { faults, requests } = this;
    const parts = this.#parts;
    const server = new HttpServer(place, (exchange) =>
      serveExchange(exchange, { parts, faults, requests }),
    );
    await server.open();
    this.#servers.push(server);
    return server.address;
  }

  async close(): Promise<void> {
    this.faults.clear();
    await Promise.all(this.#servers.splice(0).map((server) => server.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Resets every connection; the server goes on listening. */
  resetConnections(): void {
    for (const server of this.#servers) server.reset();
  }

  /** Refuses connections and drops all it has, until `comeBack`. What is stored stays. */
  async goAway(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
  }

  async comeBack(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.open()));
  }

  /** Forgets the history: watches that resume from before it and pages of older lists get 410. */
  compact(): void {
    this.#parts.store.compact();
  }

  /** Answers as it would over a connection, at once: neither faults nor the log of requests know of it. */
  ask(request: ApiRequest): Answer | Stream {
    const route = routeOrRefusal(request, this.#parts.registry);
    return route instanceof Refusal ? refusalAnswer(route) : respond(request, route, this.#parts);
  }

  /** Creates an object as a client would, with all checks. */
  create(object: JsonObject): Stored {
    return this.#parts.objects.create(this.#targetOf(object), object).object;
  }

  /** Stores an object as it is, status and all: no checks, no defaults; replaces one of its name. */
  put(object: JsonObject): Stored {
    const { resource, namespace, name } = this.#targetOf(object);
    const { store, random, clock } = this.#parts;
    const known = store.get(collectionOf(resource), keyOf(namespace, name));
    const draft = clone(object);
    const metadata = ensureObject(draft, 'metadata');
    metadata['uid'] ??= known?.metadata.uid ?? freshUid(random);
    metadata['creationTimestamp'] ??=
      known?.metadata['creationTimestamp'] ?? timestamp(clock.wall());
    if (resource.namespaced) metadata['namespace'] = namespace;
    return store.put(collectionOf(resource), draft);
  }

  /** The stored object, undefined when there is none. */
  get(
    apiVersion: string,
    kind: string,
    at: { namespace?: string; name: string },
  ): Stored | undefined {
    const resource = this.#resourceOf(apiVersion, kind);
    return this.#parts.store.get(collectionOf(resource), keyOf(at.namespace ?? '', at.name));
  }

  /** All objects of a kind, by namespace and name. */
  list(apiVersion: string, kind: string, namespace = ''): readonly Stored[] {
    return [
      ...this.#parts.store.values(collectionOf(this.#resourceOf(apiVersion, kind)), namespace),
    ];
  }

  /** Deletes as a client would: an object with finalizers is only marked. */
  remove(apiVersion: string, kind: string, at: { namespace?: string; name: string }): void {
    const { name, namespace = '' } = at;
    const metadata = namespace === '' ? { name } : { name, namespace };
    this.#parts.objects.remove(this.#targetOf({ apiVersion, kind, metadata }));
  }

  #targetOf(object: JsonObject): Target {
    const resource = this.#resourceOf(textAt(object, 'apiVersion'), textAt(object, 'kind'));
    return {
      resource,
      namespace: resource.namespaced ? textAt(object, 'metadata', 'namespace') || 'default' : '',
      name: textAt(object, 'metadata', 'name'),
      subresource: '',
      manager: 'apiserver',
      dryRun: false,
      fieldValidation: 'Strict',
      warn: () => {},
    };
  }

  #resourceOf(apiVersion: string, kind: string): Resource {
    const found = this.#parts.registry.all.find(
      (resource) => resource.kind === kind && apiVersionOf(resource) === apiVersion,
    );
    if (found === undefined) throw new Error(`no kind ${kind} is served in ${apiVersion}`);
    return found;
  }

  #controllerOf(resource: { group: string; plural: string }): AbortController {
    const key = collectionOf(resource);
    const known = this.#served.get(key) ?? new AbortController();
    this.#served.set(key, known);
    return known;
  }

  #builtInKinds(): readonly Resource[] {
    const { registry, objects, clock } = this.#parts;
    const definitions = definitionKind({
      now: () => timestamp(clock.wall()),
      serve: (definition) => {
        const resources = resourcesOf(definition);
        const [first] = resources;
        if (first !== undefined) registry.drop(first.group, first.plural);
        for (const resource of resources) registry.add(resource);
      },
      withdraw: (definition) => {
        const [first] = resourcesOf(definition);
        if (first === undefined) return;
        objects.removeAll(first);
        registry.drop(first.group, first.plural);
        this.#controllerOf(first).abort(new Error(`${first.plural} are no longer served`));
        this.#served.delete(collectionOf(first));
      },
    });
    const services = serviceKind(serviceStrategy());
    return [...coreKinds, services, ...workloadKinds, ...networkKinds, ...rbacKinds, definitions];
  }
}

/** Opens a server that listens nowhere yet. */
export const openApiServer = async (options: ApiServerOptions = {}): Promise<ApiServer> =>
  new ApiServer(options);
