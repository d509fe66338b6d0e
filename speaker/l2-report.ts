import { l2StatusLabels, l2StatusName, type L2Status, parseL2Status } from '../crds/l2-status.ts';
import { serviceL2StatusKind } from '../crds/names.ts';
import { apiVersionOf, pathOf } from '../kube/kinds.ts';
import { type KubeObject, placeOf } from '../kube/object.ts';
import { ApiError, type Transport } from '../kube/transport.ts';
import { create, mergePatch, remove } from '../kube/write.ts';
import { type Knowledge, type Outcome, recordOf } from './l2-record.ts';

type L2Object = KubeObject & { readonly status?: unknown };

type Surroundings = {
  readonly transport: Transport;
  readonly namespace: string;
  readonly node: string;
};

/** Several nodes may write into one object: who was not the first to write looks again at once. */
const attempts = 5;

/**
 * Writes who holds a Service's addresses into its ServiceL2Status: one object for each Service, into which every holder
 * writes its own entries. What is not as it was read is never written over.
 */
export class L2Report {
  readonly #surroundings: Surroundings;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** Brings the object to what this node knows, whoever has the claims that are `overruled`; returns what was done. */
  async write(
    knowledge: Omit<Knowledge, 'node'>,
    overruled: string | undefined,
    signal: AbortSignal,
  ): Promise<Outcome> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#write(knowledge, overruled, signal);
      } catch (error) {
        if (attempt === attempts || !isOvertaken(error)) throw error;
      }
    }
  }

  async #write(
    knowledge: Omit<Knowledge, 'node'>,
    overruled: string | undefined,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { node, transport } = this.#surroundings;
    const { service } = knowledge;
    const written = await this.#read(service, signal);
    const before = parseL2Status(written?.status) ?? {};
    const outcome = recordOf(before, { ...knowledge, node }, overruled);
    if (outcome.kind === 'remove' && written !== undefined)
      await remove(transport, serviceL2StatusKind, written, signal);
    if (outcome.kind === 'write') {
      const current = written ?? (await this.#create(service, signal));
      await this.#put(service, { current, status: outcome.status }, signal);
    }
    return outcome;
  }

  async #put(
    service: string,
    { current, status }: { current: L2Object; status: L2Status },
    signal: AbortSignal,
  ): Promise<void> {
    const { namespace, transport } = this.#surroundings;
    const name = objectName(service);
    const target = { kind: serviceL2StatusKind, namespace, name, subresource: 'status' } as const;
    const { resourceVersion } = current.metadata;
    // What the status does not have must not be left over from the one before.
    const patch = { metadata: { resourceVersion }, status: { previousNode: null, ...status } };
    await mergePatch(transport, target, patch, signal);
  }

  async #read(service: string, signal: AbortSignal): Promise<L2Object | undefined> {
    const { namespace, transport } = this.#surroundings;
    const path = pathOf(serviceL2StatusKind, { namespace, name: objectName(service) });
    try {
      return await transport.call<L2Object>({ method: 'GET', path }, signal);
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) return undefined;
      throw error;
    }
  }

  #create(service: string, signal: AbortSignal): Promise<L2Object> {
    const { namespace, transport } = this.#surroundings;
    const { namespace: serviceNamespace = '', name } = placeOf(service);
    const labels = {
      [l2StatusLabels.service]: name,
      [l2StatusLabels.namespace]: serviceNamespace,
    };
    const object = {
      apiVersion: apiVersionOf(serviceL2StatusKind),
      kind: serviceL2StatusKind.kind,
      metadata: { name: objectName(service), namespace, labels },
      spec: {},
    };
    return create<L2Object>(transport, serviceL2StatusKind, object, signal);
  }
}

const objectName = (service: string): string => {
  const { namespace = '', name } = placeOf(service);
  return l2StatusName({ namespace, name });
};

/** Somebody else was faster: changed, created or took away what was read. */
const isOvertaken = (error: unknown): boolean =>
  error instanceof ApiError && (error.code === 409 || error.code === 404);
