import assert from 'node:assert/strict';
import { isIPv6 } from 'node:net';
import type { L2Status } from '../../crds/l2-status.ts';
import {
  annotationKey,
  defaultNamespace,
  ipAddressPoolKind,
  l2AdvertisementKind,
} from '../../crds/names.ts';
import { systemClock } from '../../daemon/clock.ts';
import { until } from '../../daemon/testing/until.ts';
import { apiVersionOf, type Kind, kinds, pathOf } from '../../kube/kinds.ts';
import type { Endpoint, Event, ServicePort } from '../../kube/object.ts';
import { ApiError } from '../../kube/transport.ts';
import { mergePatch, type Target } from '../../kube/write.ts';
import type { Family } from '../../net/address.ts';
import type { Cluster } from '../lab/cluster.ts';
import { answerersOf, someHolderOf } from '../lab/holders.ts';
import type { Host } from '../lab/host.ts';
import { apply } from '../lab/manifests.ts';
import { backendPort } from '../lab/service-proxy.ts';
import { writtenStatuses } from '../lab/statuses.ts';

/** Long enough for what is asked of the API server on a busy machine; a move itself takes milliseconds. */
const withinMs = 15_000;
/** A change is planned some hundredths of a second after it was written, and carried out at once. */
const settleMs = 500;

type Wish = {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly policy?: 'Cluster' | 'Local';
  readonly ports?: readonly ServicePort[];
  /** Where its backends are; on every node, unless said otherwise. */
  readonly on?: readonly Host[];
};

type Written = Readonly<Record<string, unknown>> & { readonly metadata?: object };

/** Tenants do not notice each other, and tests of them mostly wait. */
export const sideBySide = { concurrency: 8 } as const;

/** Somebody new in the cluster, for one test; with addresses of one family, IPv4 where nothing is said. */
export type Enter = (family?: Family) => Promise<Tenant>;

/**
 * Somebody with a pool of a few addresses, advertisements and Services in a cluster that others use before and after; all
 * of it goes in the end, and what was done to the nodes is undone.
 */
export class Tenant implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly name: string;
  readonly addresses: readonly [string, string];
  readonly #ripeAtMs: number;
  readonly #made = new Map<string, Target>();
  readonly #undo: (() => Promise<unknown>)[] = [];

  /** @param ripeAtMs when all nodes have been there for so long that preferred ones may be given what others hold */
  constructor(
    cluster: Cluster,
    name: string,
    addresses: readonly [string, string],
    ripeAtMs = -Infinity,
  ) {
    this.cluster = cluster;
    this.name = name;
    this.addresses = addresses;
    this.#ripeAtMs = ripeAtMs;
  }

  get address(): string {
    return this.addresses[0];
  }

  get family(): Family {
    return isIPv6(this.address) ? 'IPv6' : 'IPv4';
  }

  get nodes(): readonly Host[] {
    return this.cluster.hosts.nodes;
  }

  /** The pool with this tenant's addresses; nothing is taken from it by who does not ask. */
  async pool(labels: Readonly<Record<string, string>> = {}): Promise<void> {
    const bits = this.family === 'IPv4' ? 32 : 128;
    const addresses = this.addresses.map((address) => `${address}/${bits}`);
    const spec = { addresses, autoAssign: false };
    await this.#put(ipAddressPoolKind, this.name, { metadata: { labels }, spec });
  }

  /** An advertisement of this tenant's pool alone; again under its name, it says this and nothing else. */
  async advertise(spec: object = {}, name = this.name): Promise<void> {
    await this.#put(l2AdvertisementKind, name, { spec: { ipAddressPools: [this.name], ...spec } });
  }

  /** A Service that has this address, with endpoints of its own. */
  async service(wish: Wish = {}, name = this.name, address = this.address): Promise<void> {
    const { labels = {}, policy = 'Cluster', ports = [{ name: 'http', port: 80 }] } = wish;
    const annotations = { [annotationKey('loadBalancerIPs')]: address, ...wish.annotations };
    const spec = {
      type: 'LoadBalancer',
      ipFamilies: [this.family],
      externalTrafficPolicy: policy,
      ports: ports.map((port) => ({ protocol: 'TCP', targetPort: backendPort, ...port })),
    };
    await this.endpoints(endpointsOn(wish.on ?? this.nodes, readyOnes, this.family), {
      name,
      ports,
    });
    await this.#put(kinds.service, name, { metadata: { labels, annotations }, spec });
  }

  /** Where the Service leads, as the controller of its Pods would write it. */
  async endpoints(
    endpoints: readonly Endpoint[],
    { name = this.name, ports = [{ name: 'http', port: 80 }] as readonly ServicePort[] } = {},
  ): Promise<void> {
    const labels = { 'kubernetes.io/service-name': name };
    await this.#put(kinds.endpointSlice, name, {
      metadata: { labels },
      addressType: this.family,
      endpoints,
      ports: ports.map(({ name: called = '', protocol = 'TCP' }) => ({
        name: called,
        protocol,
        port: backendPort,
      })),
    });
  }

  async relabel(labels: Readonly<Record<string, string | null>>, name = this.name): Promise<void> {
    const target = this.#made.get(`Service/${name}`);
    assert.ok(target !== undefined, `no Service ${name} was made`);
    await mergePatch(this.cluster.api, target, { metadata: { labels } });
  }

  async remove(kind: Kind, name = this.name): Promise<void> {
    const key = `${kind.kind}/${name}`;
    const target = this.#made.get(key);
    if (target === undefined) return;
    this.#made.delete(key);
    await this.cluster.api
      .call({ method: 'DELETE', path: pathOf(kind, target) })
      .catch((error: unknown) => {
        if (!(error instanceof ApiError && error.code === 404)) throw error;
      });
  }

  /** Labels nodes until the end; returns when every speaker has seen it: kinds are watched one by one. */
  async label(labels: Readonly<Record<string, string>>, ...nodes: readonly Host[]): Promise<void> {
    const none = Object.fromEntries(Object.keys(labels).map((key) => [key, null]));
    for (const { name } of nodes) await this.mark(name, labelled(labels), labelled(none));
    await systemClock.sleep(settleMs);
  }

  /** Writes something on a node until the end. */
  async mark(name: string, patch: object, undo: object, subresource?: 'status'): Promise<void> {
    const write = (what: object) =>
      mergePatch(this.cluster.api, { kind: kinds.node, name, subresource }, what);
    await write(patch);
    this.#undo.push(() => write(undo));
  }

  /** The one node that answers, once there is one. */
  async holder(address = this.address): Promise<Host> {
    return someHolderOf(this.cluster, address);
  }

  /** Until this node, and no other, answers. */
  async heldBy(node: Host, address = this.address, waitMs = withinMs): Promise<void> {
    const answers = async () => {
      const names = (await answerersOf(this.cluster, address)).join(' and ');
      if (names !== node.name) throw new Error(`${names || 'nobody'} answers`);
      return true;
    };
    await until(`${node.name} alone answers for ${address}`, answers, { withinMs: waitMs });
  }

  /**
   * Until this node answers, which is preferred to all others. It takes what nobody holds; but where it hears of an address
   * later than others, by more than three pulses, one of them takes it first, and gives it to a node that has been there for a while.
   */
  async heldByPreferred(node: Host): Promise<void> {
    const unripeMs = Math.max(0, this.#ripeAtMs - systemClock.nowMs());
    await this.heldBy(node, this.address, unripeMs + withinMs);
  }

  /** Until another node than this one answers; it is the only one. */
  async movedFrom(node: Host, address = this.address): Promise<Host> {
    const moved = async () => {
      const host = await this.holder(address);
      return host !== node && host;
    };
    const heir = await until(`${address} has left ${node.name}`, moved, { withinMs });
    await this.heldBy(heir, address);
    return heir;
  }

  /** Until nobody answers. */
  async silent(address = this.address): Promise<void> {
    const quiet = async () => (await answerersOf(this.cluster, address)).length === 0;
    await until(`nobody answers for ${address}`, quiet, { withinMs });
  }

  /** Has had time to move, and is answered for by this node alone. */
  async staysWith(node: Host, address = this.address): Promise<void> {
    await systemClock.sleep(settleMs);
    assert.deepEqual(await answerersOf(this.cluster, address), [node.name]);
  }

  /** Somebody has had time to answer, and nobody does. */
  async staysSilent(address = this.address): Promise<void> {
    await systemClock.sleep(settleMs);
    assert.deepEqual(await answerersOf(this.cluster, address), []);
  }

  /** What the speakers wrote about a Service. */
  async status(name = this.name): Promise<L2Status | undefined> {
    const statuses = await writtenStatuses(this.cluster.api);
    return statuses.find(({ serviceName }) => serviceName === name);
  }

  /** What was said about a Service, as `Reason message`, the oldest first. */
  async events(name = this.name): Promise<readonly string[]> {
    const path = pathOf(kinds.event, { namespace: 'default' });
    const { items } = await this.cluster.api.call<{ items: readonly Event[] }>({
      method: 'GET',
      path,
    });
    return items
      .filter(({ involvedObject }) => involvedObject.name === name)
      .map(({ reason, message }) => `${reason} ${message}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const undo of this.#undo.toReversed()) await undo();
    for (const { kind, name } of [...this.#made.values()].toReversed())
      await this.remove(kind, name);
  }

  async #put(kind: Kind, name: string, what: Written): Promise<void> {
    const namespace = kind.group === ipAddressPoolKind.group ? defaultNamespace : 'default';
    const target = { kind, namespace, name };
    this.#made.set(`${kind.kind}/${name}`, target);
    const metadata = { name, namespace, ...what.metadata };
    await apply(this.cluster.api, {
      apiVersion: apiVersionOf(kind),
      kind: kind.kind,
      ...what,
      metadata,
    });
  }
}

const readyOnes = { ready: true, serving: true, terminating: false };

/** Ready ones on these nodes, unless the conditions say otherwise. */
export const endpointsOn = (
  nodes: readonly Host[],
  conditions: Endpoint['conditions'] = readyOnes,
  family: Family = 'IPv4',
): readonly Endpoint[] =>
  nodes.map(({ name, address, address6 }) => ({
    addresses: [family === 'IPv4' ? address : address6],
    nodeName: name,
    conditions,
  }));

/** The selector that picks these nodes out. */
export const named = (...nodes: readonly Host[]) => ({
  matchExpressions: [
    { key: 'kubernetes.io/hostname', operator: 'In', values: nodes.map(({ name }) => name) },
  ],
});

const labelled = (labels: object) => ({ metadata: { labels } });
