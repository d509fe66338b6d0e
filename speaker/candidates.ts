import type { Advertisement } from '../crds/advertisement.ts';
import { matches } from '../crds/selector.ts';
import type { EndpointSlice, Node, Service } from '../kube/object.ts';
import type { Candidate } from './core/rank.ts';

/** What decides whether a node may hold a Service's addresses. */
export type Scene = {
  readonly service: Service;
  readonly slices: readonly EndpointSlice[];
  /** The advertisements of the address's pool. */
  readonly advertisements: readonly Advertisement[];
  readonly nodes: readonly Node[];
  /** Nodes that carry the label are candidates all the same. */
  readonly ignoreExcludeLabel: boolean;
};

/** Why nobody answers for a Service; the same word stands in log, event and metric. */
export type Silence = 'NoAdvertisement' | 'NoEndpoints' | 'NoCandidates' | 'NodeAddress';

export type Candidacy =
  | {
      readonly kind: 'announce';
      readonly candidates: readonly Candidate[];
      /** The advertisements that apply to the Service. */
      readonly advertisements: readonly Advertisement[];
    }
  | { readonly kind: 'silent'; readonly reason: Silence };

/** Kubernetes' own mark for nodes that load balancers leave alone, whatever its value. */
const excludeLabel = 'node.kubernetes.io/exclude-from-external-load-balancers';

/** Which nodes may hold a Service's addresses, and how gladly; the same answer on every node. */
export function candidatesFor(scene: Scene): Candidacy {
  const { service, slices, nodes } = scene;
  const applying = scene.advertisements.filter(({ serviceSelectors }) =>
    anyMatches(serviceSelectors, service.metadata.labels),
  );
  if (applying.length === 0) return { kind: 'silent', reason: 'NoAdvertisement' };
  const serving = servingNodes(slices);
  if (serving === 'none') return { kind: 'silent', reason: 'NoEndpoints' };
  const local = service.spec?.externalTrafficPolicy === 'Local';
  const candidates = nodes
    .filter((node) => !local || serving.has(node.metadata.name))
    .filter((node) => isAble(node, scene.ignoreExcludeLabel))
    .filter((node) => applying.some((advertisement) => selectsNode(advertisement, node)))
    .map((node) => ({ node: node.metadata.name, score: scoreOf(applying, node) }));
  if (candidates.length === 0) return { kind: 'silent', reason: 'NoCandidates' };
  return { kind: 'announce', candidates, advertisements: applying };
}

const anyMatches = (
  selectors: Advertisement['serviceSelectors'],
  labels: Readonly<Record<string, string>> | undefined,
): boolean => selectors.length === 0 || selectors.some((selector) => matches(selector, labels));

export const selectsNode = ({ nodeSelectors }: Advertisement, node: Node): boolean =>
  anyMatches(nodeSelectors, node.metadata.labels);

/** The union over the advertisements that select the node; one that names no interface allows them all. */
export function linksOf(
  advertisements: readonly Advertisement[],
  node: Node,
): readonly string[] | undefined {
  const selecting = advertisements.filter((advertisement) => selectsNode(advertisement, node));
  if (selecting.some(({ interfaces }) => interfaces.length === 0)) return undefined;
  return [...new Set(selecting.flatMap(({ interfaces }) => interfaces))].sort();
}

/** A bare cordon is no reason: it is about pods, not about addresses. */
function isAble({ metadata, status }: Node, ignoreExcludeLabel: boolean): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  if (!ignoreExcludeLabel && metadata.labels?.[excludeLabel] !== undefined) return false;
  return !(status?.conditions ?? []).some(
    ({ type, status: value }) => type === 'NetworkUnavailable' && value === 'True',
  );
}

/** The names of the nodes with an endpoint that can serve; `none` where there is no such endpoint at all. */
function servingNodes(slices: readonly EndpointSlice[]): ReadonlySet<string> | 'none' {
  const serving = slices
    .flatMap(({ endpoints }) => endpoints ?? [])
    // Unknown counts as ready (EndpointConditions); a terminating endpoint may still be serving.
    .filter(({ conditions }) => conditions?.ready !== false || conditions.serving === true);
  if (serving.length === 0) return 'none';
  return new Set(serving.flatMap(({ nodeName }) => (nodeName === undefined ? [] : [nodeName])));
}

/** Weights add up over all advertisements that admit the node. */
function scoreOf(advertisements: readonly Advertisement[], node: Node): number {
  return advertisements
    .filter((advertisement) => selectsNode(advertisement, node))
    .flatMap(({ preferredNodes }) => preferredNodes)
    .filter(({ selector }) => matches(selector, node.metadata.labels))
    .reduce((sum, { weight }) => sum + weight, 0);
}
