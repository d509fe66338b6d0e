import { annotationKey, ipAddressPoolKind } from '../../crds/names.ts';
import { until } from '../../daemon/testing/until.ts';
import type { Access } from '../../kube/access.ts';
import { apiVersionOf, type Kind, kinds, pathOf } from '../../kube/kinds.ts';
import type { Condition, Event, Service, ServiceSpec } from '../../kube/object.ts';
import { ApiError, openTransport, type Transport } from '../../kube/transport.ts';
import { apply, create, mergePatch, type Target } from '../../kube/write.ts';
import type { Judged } from '../../operator/pool-status.ts';
import { conditionType } from '../../operator/status.ts';
import { Operator, type OperatorExtra } from './operator.ts';

/** What a person writes on a Service; `null` takes an annotation or a field away. */
export type Wish = {
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string | null>>;
  readonly annotations?: Readonly<Record<string, string | null>>;
  readonly spec?: { readonly [Field in keyof ServiceSpec]: ServiceSpec[Field] | null };
};

type Parts = {
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: object;
  readonly status?: object;
  /** What stands beside these where a kind has neither. */
  readonly body?: object;
};

/** A town of its own for one test. */
export type Found = () => Promise<Town>;

const withinMs = 20_000;
const signalPool = 'zz-signal';

/**
 * A namespace with pools, Services and operators of its own on an API server that others use too. What is made in it
 * goes with it, but for the namespaces, which a server without controllers never removes.
 */
export class Town implements AsyncDisposable {
  /** Where the pools lie, and the Services unless they say another one. */
  readonly namespace: string;
  readonly #access: Access;
  readonly #api: Transport;
  readonly #operators: Operator[] = [];
  readonly #made = new Map<string, Target>();
  #signals = 0;

  private constructor(access: Access, namespace: string) {
    this.#access = access;
    this.#api = openTransport(access);
    this.namespace = namespace;
  }

  static async found(access: Access, namespace: string): Promise<Town> {
    const town = new Town(access, namespace);
    await create(town.#api, kinds.namespace, { metadata: { name: namespace } });
    return town;
  }

  /** Starts an operator; the one before has ended. No address rests, so that each is soon used again. */
  start(extra: OperatorExtra = {}): Operator {
    const { namespace } = this;
    // As the Pod of a StatefulSet: a killed one that comes back takes its own lease without waiting.
    const usual = { namespace, identity: 'operator-0', restMs: 0 };
    const operator = new Operator(this.#access, { ...usual, ...extra });
    this.#operators.push(operator);
    return operator;
  }

  /** Makes another namespace, or gives one these labels; answers its full name. */
  async district(name: string, labels: Readonly<Record<string, string>> = {}): Promise<string> {
    const full = `${this.namespace}-${name}`;
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: full, labels } };
    const about = { object, fieldManager: 'town' };
    await apply(this.#api, { kind: kinds.namespace, name: full }, about);
    return full;
  }

  /** Creates a pool, or makes it say this and nothing else. */
  async pool(
    name: string,
    addresses: string | readonly string[],
    spec: object = {},
  ): Promise<void> {
    await this.#put(ipAddressPoolKind, name, { addresses: [addresses].flat(), ...spec });
  }

  /** Creates a pool of nodes of this town, or makes it say this and nothing else. */
  async nodePool(name: string, spec: object = {}): Promise<void> {
    const selector = { matchLabels: { town: this.namespace } };
    await this.#put(ipAddressPoolKind, name, { nodes: { selector }, ...spec });
  }

  /** Makes a node of this town, or says of it what its kubelet or the node controller would. */
  async node(name: string, ip: string, ready: Condition['status'] = 'True'): Promise<void> {
    const status = {
      addresses: [{ type: 'InternalIP', address: ip }],
      conditions: [{ type: 'Ready', status: ready }],
    };
    await this.put(kinds.node, this.#fullName(name), { labels: { town: this.namespace }, status });
  }

  async removeNode(name: string): Promise<void> {
    await this.take(kinds.node, this.#fullName(name));
  }

  /** Has these nodes serve a Service, and no others. */
  async serve(service: string, ...nodes: readonly string[]): Promise<void> {
    const endpoints = nodes.map((node, index) => ({
      addresses: [`198.18.200.${index + 1}`],
      nodeName: this.#fullName(node),
      conditions: { ready: true },
    }));
    const labels = { 'kubernetes.io/service-name': service };
    const body = { addressType: 'IPv4', endpoints };
    await this.put(kinds.endpointSlice, `${service}-1`, { labels, body });
  }

  async removePool(name: string): Promise<void> {
    await this.#remove(this.#target(ipAddressPoolKind, name));
  }

  /** Until the operator has read the pool as it is written now, and says so. */
  async judged(name: string): Promise<Judged> {
    return await until(`pool ${name} is judged`, async () => {
      const pool = await this.readPool(name);
      const { generation } = pool.metadata;
      const conditions = pool.status?.conditions ?? [];
      const current = conditions.some(
        ({ observedGeneration }) => observedGeneration === generation,
      );
      return current && pool;
    });
  }

  readPool(name: string): Promise<Judged> {
    return this.#read<Judged>(this.#target(ipAddressPoolKind, name));
  }

  async writePoolStatus(name: string, status: object): Promise<void> {
    const target = { ...this.#target(ipAddressPoolKind, name), subresource: 'status' } as const;
    await mergePatch(this.#api, target, { status });
  }

  /** Makes an object of the cluster, as kubelets and speakers do. */
  async put(kind: Kind, name: string, { labels = {}, spec, status, body }: Parts): Promise<void> {
    const target = this.#target(kind, name);
    this.#made.set(`${kind.kind}/${name}`, target);
    const metadata = { name, labels, ...(kind.namespaced && { namespace: this.namespace }) };
    const about = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata };
    const object = { ...about, ...(spec && { spec }), ...body };
    await apply(this.#api, target, { object, fieldManager: 'town' });
    if (status !== undefined)
      await mergePatch(this.#api, { ...target, subresource: 'status' }, { status });
  }

  async take(kind: Kind, name: string): Promise<void> {
    await this.#remove(this.#target(kind, name));
  }

  async service(name: string, wish: Wish = {}): Promise<void> {
    const { namespace = this.namespace, labels = {}, annotations = {}, spec = {} } = wish;
    const usual = { type: 'LoadBalancer', ports: [{ port: 80 }], selector: { app: name } };
    this.#made.set(name, { kind: kinds.service, namespace, name });
    const metadata = { name, namespace, labels, annotations };
    const object = { apiVersion: 'v1', kind: 'Service', metadata, spec: { ...usual, ...spec } };
    const path = pathOf(kinds.service, { namespace });
    await this.#api.call({ method: 'POST', path, body: object });
  }

  /** Edits a Service as `kubectl patch` does. */
  async edit(name: string, { labels = {}, annotations = {}, spec = {} }: Wish): Promise<void> {
    await mergePatch(this.#api, this.#place(name), { metadata: { labels, annotations }, spec });
  }

  /** Writes into the status of a Service what another controller, or a person, might. */
  async writeStatus(name: string, ...ingress: readonly object[]): Promise<void> {
    const target = { ...this.#place(name), subresource: 'status' } as const;
    await mergePatch(this.#api, target, { status: { loadBalancer: { ingress } } });
  }

  async remove(name: string): Promise<void> {
    await this.#remove(this.#place(name));
  }

  read(name: string): Promise<Service> {
    return this.#read<Service>(this.#place(name));
  }

  /** The addresses in the status of a Service, as they stand there. */
  async ips(name: string): Promise<string> {
    const { status } = await this.read(name);
    return (status?.loadBalancer?.ingress ?? []).map((one) => one.ip ?? one.hostname).join(' ');
  }

  /** The pool that the annotation of a Service names. */
  async poolOf(name: string): Promise<string | undefined> {
    const { metadata } = await this.read(name);
    return metadata.annotations?.[annotationKey('ip-allocated-from-pool')];
  }

  async reason(name: string): Promise<string | undefined> {
    const { status } = await this.read(name);
    return status?.conditions?.find(({ type }) => type === conditionType)?.reason;
  }

  /** What the operator has said about a Service, as `Type Reason`. */
  async events(name: string): Promise<readonly string[]> {
    const path = pathOf(kinds.event, { namespace: this.#place(name).namespace });
    const { items } = await this.#api.call<{ items: readonly Event[] }>({ method: 'GET', path });
    return items
      .filter(({ involvedObject }) => involvedObject.name === name)
      .map(({ type, reason }) => `${type} ${reason}`);
  }

  async gets(name: string, ips: string): Promise<void> {
    const has = async () => {
      const now = await this.ips(name);
      if (now !== ips) throw new Error(`it has ${now || 'none'} (${await this.reason(name)})`);
      return true;
    };
    await until(`${name} has ${ips || 'no address'}`, has, { withinMs });
  }

  /** Until the Service is told that it has not what it asks for; meanwhile it has these addresses. */
  async told(name: string, reason: string, ips = ''): Promise<void> {
    const expected = `${reason} ${ips}`;
    const stands = async () => {
      const now = `${await this.reason(name)} ${await this.ips(name)}`;
      if (now !== expected) throw new Error(`it stands at ${now}`);
      return true;
    };
    await until(`${name} stands at ${expected}`, stands, { withinMs });
  }

  /** Until the operator has acted upon all that was written before: what has not changed by now does not. */
  async settle(): Promise<void> {
    const name = `signal-${this.#signals++}`;
    const pools = [...this.#made.values()].filter(({ kind }) => kind === ipAddressPoolKind);
    await Promise.all(pools.map((pool) => this.judged(pool.name)));
    if (!this.#made.has(`IPAddressPool/${signalPool}`)) {
      await this.pool(signalPool, '198.18.0.0/24', { autoAssign: false });
    }
    await this.service(name, { annotations: { [annotationKey('address-pool')]: signalPool } });
    const seen = async () => (await this.ips(name)) !== '';
    await until('the operator has answered the signal', seen, { withinMs });
    await this.remove(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#operators.map((operator) => operator.stopSilently()));
    await Promise.all([...this.#made.values()].map((target) => this.#remove(target)));
    this.#api.close();
  }

  async #put(kind: Kind, name: string, spec: object): Promise<void> {
    const target = this.#target(kind, name);
    this.#made.set(`${kind.kind}/${name}`, target);
    const { namespace } = this;
    const metadata = { name, namespace };
    const object = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata, spec };
    await apply(this.#api, target, { object, fieldManager: 'town' });
  }

  async #remove({ kind, namespace, name }: Target): Promise<void> {
    const made = [...this.#made].find(([, one]) => one.kind === kind && one.name === name);
    if (made !== undefined) this.#made.delete(made[0]);
    try {
      await this.#api.call({ method: 'DELETE', path: pathOf(kind, { namespace, name }) });
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 404)) throw error;
    }
  }

  #read<T>(target: Target): Promise<T> {
    return this.#api.call<T>({ method: 'GET', path: pathOf(target.kind, target) });
  }

  #target = (kind: Kind, name: string): Target => ({ kind, namespace: this.namespace, name });

  #fullName = (node: string): string => `${this.namespace}-${node}`;

  #place(name: string): Target {
    const target = this.#made.get(name);
    if (target === undefined) throw new Error(`no Service ${name} was made`);
    return target;
  }
}
