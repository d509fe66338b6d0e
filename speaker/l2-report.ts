import { createHash } from 'node:crypto';
import { parseL2Status, type L2Status } from '../crds/l2-status.ts';
import { serviceL2StatusKind } from '../crds/names.ts';
import { apiVersionOf, pathOf } from '../kube/kinds.ts';
import { type KubeObject, placeOf } from '../kube/object.ts';
import { ApiError, type Transport } from '../kube/transport.ts';
import { create, mergePatch, remove } from '../kube/write.ts';
import { beats } from './core/rank.ts';
import type { Held } from './orders.ts';

type L2Object = KubeObject & { readonly status?: unknown };

type Surroundings = {
  readonly transport: Transport;
  readonly namespace: string;
  readonly node: string;
};

/** What one Service has here: its addresses, and how the first of them came. */
export type Holding = {
  readonly addresses: readonly string[];
  readonly latest: Held;
  readonly since: Date;
};

/**
 * Writes who holds a Service's addresses into its ServiceL2Status: one object for each Service, written by the holder
 * when something changed hands, and taken away by the last holder when the Service is announced no more.
 */
export class L2Report {
  readonly #surroundings: Surroundings;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** Writes that this node holds the Service's addresses, unless one with a better claim has written already. */
  async write(service: string, holding: Holding, signal: AbortSignal): Promise<void> {
    const written = (await this.#read(service, signal)) ?? (await this.#create(service, signal));
    const before = parseL2Status(written.status) ?? {};
    const { node } = this.#surroundings;
    if (isBetter(before, { ...holding, node })) return;
    const status = statusOf(service, holding, { before, node });
    if (isSame(status, before)) return;
    const { resourceVersion } = written.metadata;
    // What this holding does not have must not be left over from the one before.
    const patch = { metadata: { resourceVersion }, status: { ...nothing, ...status } };
    const target = { ...this.#target(service), subresource: 'status' } as const;
    await mergePatch(this.#surroundings.transport, target, patch, signal);
  }

  /** Takes the object away if it still says that this node is the holder. */
  async remove(service: string, signal: AbortSignal): Promise<void> {
    const written = await this.#read(service, signal);
    if (written === undefined) return;
    if (parseL2Status(written.status)?.node !== this.#surroundings.node) return;
    await remove(this.#surroundings.transport, serviceL2StatusKind, written, signal);
  }

  async #read(service: string, signal: AbortSignal): Promise<L2Object | undefined> {
    try {
      const path = pathOf(serviceL2StatusKind, this.#target(service));
      return await this.#surroundings.transport.call<L2Object>({ method: 'GET', path }, signal);
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) return undefined;
      throw error;
    }
  }

  #create(service: string, signal: AbortSignal): Promise<L2Object> {
    const { namespace, transport } = this.#surroundings;
    const { namespace: serviceNamespace = '', name } = placeOf(service);
    const labels = {
      'metallb.io/service-name': name,
      'metallb.io/service-namespace': serviceNamespace,
    };
    const object = {
      apiVersion: apiVersionOf(serviceL2StatusKind),
      kind: serviceL2StatusKind.kind,
      metadata: { name: objectName(service), namespace, labels },
      spec: {},
    };
    return create<L2Object>(transport, serviceL2StatusKind, object, signal);
  }

  #target(service: string) {
    const { namespace } = this.#surroundings;
    return { kind: serviceL2StatusKind, namespace, name: objectName(service) } as const;
  }
}

const nothing = { previousNode: null, detectionMs: null } as const;

/** The same name on every node, so that there is one object whoever writes it. */
const objectName = (service: string): string =>
  `l2-${createHash('sha256').update(service).digest('hex').slice(0, 12)}`;

function statusOf(
  service: string,
  { addresses, latest, since }: Holding,
  { before, node }: { before: L2Status; node: string },
): L2Status {
  const { namespace: serviceNamespace = '', name: serviceName } = placeOf(service);
  const moved = before.node !== undefined && before.node !== node;
  const { link, mac, term, reason, from, silentMs, takeoverMs } = latest;
  const previousNode = from ?? (moved ? before.node : before.previousNode);
  return {
    node,
    serviceName,
    serviceNamespace,
    interfaces: [{ name: link }],
    addresses: [...addresses],
    mac,
    since: since.toISOString(),
    term,
    ...(previousNode === undefined ? {} : { previousNode }),
    reason,
    ...(silentMs === undefined ? {} : { detectionMs: Math.round(silentMs) }),
    takeoverMs: Math.round(takeoverMs),
    moves: (before.moves ?? 0) + (moved ? 1 : 0),
  };
}

/** Whether the holder that was written has the better claim, as far as claims can be compared: those of one link. */
function isBetter(
  { node: holder, term = 0, interfaces, addresses }: L2Status,
  mine: Holding & { readonly node: string },
): boolean {
  const { link, address, term: own } = mine.latest;
  const comparable =
    interfaces?.some(({ name }) => name === link) === true && addresses?.includes(address) === true;
  if (!comparable || holder === undefined || holder === mine.node) return false;
  return beats(address, { holder, term }, { holder: mine.node, term: own });
}

/** Whether writing would change nothing: the same holding, told once already. */
const isSame = (a: L2Status, b: L2Status): boolean =>
  a.node === b.node &&
  a.term === b.term &&
  a.mac === b.mac &&
  String(a.addresses) === String(b.addresses);
