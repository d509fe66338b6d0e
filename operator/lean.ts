import { type Kind, kinds } from '../kube/kinds.ts';
import type { EndpointSlice, KubeObject, Node } from '../kube/object.ts';

type Lean = (object: KubeObject) => KubeObject;

/** Kinds of which there is much that nobody reads here: what of their objects is kept in memory. */
export const leanKinds: ReadonlyMap<Kind, Lean> = new Map<Kind, Lean>([
  // What the API server serves under a kind has the shape of that kind.
  [kinds.node, (object) => leanNode(object as Node)],
  [kinds.endpointSlice, (object) => leanSlice(object as EndpointSlice)],
]);

/** Without the list of images, which is most of a node. */
function leanNode({ spec, status, ...object }: Node): Node {
  const { addresses, conditions } = status ?? {};
  return {
    ...identityOf(object),
    ...(spec && { spec }),
    status: { ...(addresses && { addresses }), ...(conditions && { conditions }) },
  };
}

/** On which nodes something serves, but not what. */
const leanSlice = ({ addressType, endpoints, ...object }: EndpointSlice): EndpointSlice => ({
  ...identityOf(object),
  addressType,
  endpoints: (endpoints ?? []).map(({ nodeName, conditions }) => ({
    addresses: [],
    ...(nodeName && { nodeName }),
    ...(conditions && { conditions }),
  })),
});

/** Which object it is, in which state, and with which labels. */
function identityOf({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, labels, deletionTimestamp } = metadata;
  return {
    ...(apiVersion && { apiVersion }),
    ...(kind && { kind }),
    metadata: {
      name,
      ...(namespace && { namespace }),
      ...(uid && { uid }),
      ...(resourceVersion && { resourceVersion }),
      ...(labels && { labels }),
      ...(deletionTimestamp && { deletionTimestamp }),
    },
  };
}
