import type { Node } from './object.ts';

/** Kubernetes' own mark for nodes that load balancers leave alone, whatever its value. */
const excludeLabel = 'node.kubernetes.io/exclude-from-external-load-balancers';

export const isExcluded = ({ metadata }: Node): boolean =>
  metadata.labels?.[excludeLabel] !== undefined;

/** An administrator's word that a node is shut down, and will not come back by itself. */
export const outOfServiceTaint = 'node.kubernetes.io/out-of-service';

/** Whether a node may be reached, as far as its object says. A bare cordon is about pods, not about that. */
export const isReachable = (node: Node): boolean =>
  node.metadata.deletionTimestamp === undefined &&
  stateOf(node, 'NetworkUnavailable') !== 'True' &&
  node.spec?.taints?.some(({ key }) => key === outOfServiceTaint) !== true;

/** `Unknown` is what the node controller says of a node from which it hears nothing. */
export const isReady = (node: Node): boolean => stateOf(node, 'Ready') === 'True';

/** The node controller hears nothing of it, or nothing good; where nobody has said so, it is not. */
export const isLost = (node: Node): boolean =>
  !['True', undefined].includes(stateOf(node, 'Ready'));

/** Since when the node controller has heard nothing of it; undefined while it does, and where it does not say. */
export function unheardSince({ status }: Node): Date | undefined {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status !== 'Unknown' || ready.lastTransitionTime === undefined) return undefined;
  const since = new Date(ready.lastTransitionTime);
  return Number.isNaN(since.getTime()) ? undefined : since;
}

const stateOf = ({ status }: Node, condition: string): string | undefined =>
  status?.conditions?.find(({ type }) => type === condition)?.status;
