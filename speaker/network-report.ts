import { isDeepStrictEqual } from 'node:util';
import { nodeNetworkKind } from '../crds/names.ts';
import type { NodeNetworkStatus } from '../crds/node-network.ts';
import { apiVersionOf, kinds, pathOf } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { ApiError, type Transport } from '../kube/transport.ts';
import { create, mergePatch } from '../kube/write.ts';

type Written = KubeObject & { readonly status?: unknown };

type Surroundings = {
  readonly transport: Transport;
  readonly namespace: string;
  readonly node: string;
  /** Of the Node object, so that what is written about a node goes with it; undefined while it is not known. */
  readonly nodeUid: () => string | undefined;
};

/** Writes into the NodeNetwork of this node where it stands, if it does not say so already. */
export async function reportNetworks(
  networks: NodeNetworkStatus,
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<void> {
  const { transport, namespace, node } = surroundings;
  const target = { kind: nodeNetworkKind, namespace, name: node } as const;
  const written = (await read(target, transport, signal)) ?? (await make(surroundings, signal));
  if (isDeepStrictEqual(written.status, networks)) return;
  await mergePatch(transport, { ...target, subresource: 'status' }, { status: networks }, signal);
}

async function read(
  target: { readonly kind: typeof nodeNetworkKind; namespace: string; name: string },
  transport: Transport,
  signal: AbortSignal,
): Promise<Written | undefined> {
  try {
    const path = pathOf(target.kind, target);
    return await transport.call<Written>({ method: 'GET', path }, signal);
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) return undefined;
    throw error;
  }
}

function make(
  { transport, namespace, node, nodeUid }: Surroundings,
  signal: AbortSignal,
): Promise<Written> {
  const uid = nodeUid();
  const owner = { apiVersion: apiVersionOf(kinds.node), kind: kinds.node.kind, name: node };
  const ownerReferences = uid === undefined ? [] : [{ ...owner, uid }];
  const object = {
    apiVersion: apiVersionOf(nodeNetworkKind),
    kind: nodeNetworkKind.kind,
    metadata: { name: node, namespace, ownerReferences },
    spec: {},
  };
  return create<Written>(transport, nodeNetworkKind, object, signal);
}
