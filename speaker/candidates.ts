import type { Advertisement } from '../crds/advertisement.ts';
import { matches } from '../crds/selector.ts';
import { isExcluded, isReachable } from '../kube/node-state.ts';
import type { Endpoint, EndpointSlice, Node, Service } from '../kube/object.ts';
import { nodesOf, readyAmong, servingEndpoints } from '../kube/serving.ts';
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

type Candidacy =
  | {
      readonly kind: 'announce';
      readonly candidates: readonly Candidate[];
      /** The advertisements that apply to the Service. */
      readonly advertisements: readonly Advertisement[];
    }
  | { readonly kind: 'silent'; readonly reason: Silence };

/** Which nodes may hold a Service's addresses, and how gladly; the same answer on every node. */
export function candidatesFor(scene: Scene): Candidacy {
  const { service, slices, nodes } = scene;
  const applying = scene.advertisements.filter(({ serviceSelectors }) =>
    anyMatches(serviceSelectors, service.metadata.labels),
  );
  if (applying.length === 0) return { kind: 'silent', reason: 'NoAdvertisement' };
  const endpoints = servingEndpoints(slices);
  if (endpoints.length === 0) return { kind: 'silent', reason: 'NoEndpoints' };
  const able = nodes
    .filter((node) => isReachable(node) && (scene.ignoreExcludeLabel || !isExcluded(node)))
    .filter((node) => applying.some((advertisement) => selectsNode(advertisement, node)));
  const local = service.spec?.externalTrafficPolicy === 'Local';
  const candidates = (local ? withEndpoints(able, endpoints) : able).map((node) => ({
    node: node.metadata.name,
    score: scoreOf(applying, node),
  }));
  if (candidates.length === 0) return { kind: 'silent', reason: 'NoCandidates' };
  return { kind: 'announce', candidates, advertisements: applying };
}

const anyMatches = (
  selectors: Advertisement['serviceSelectors'],
  labels: Readonly<Record<string, string>> | undefined,
): boolean => selectors.length === 0 || selectors.some((selector) => matches(selector, labels));

const selectsNode = ({ nodeSelectors }: Advertisement, node: Node): boolean =>
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

/**
 * The nodes with an endpoint of their own; those whose endpoints all terminate only where there is no better one. So an
 * address leaves a node that is drained while what serves it there still does, and nobody notices.
 */
function withEndpoints(nodes: readonly Node[], serving: readonly Endpoint[]): readonly Node[] {
  const on = (endpoints: readonly Endpoint[]): readonly Node[] => {
    const names = nodesOf(endpoints);
    return nodes.filter(({ metadata }) => names.has(metadata.name));
  };
  const ready = on(readyAmong(serving));
  return ready.length > 0 ? ready : on(serving);
}

/** Weights add up over all advertisements that admit the node. */
function scoreOf(advertisements: readonly Advertisement[], node: Node): number {
  return advertisements
    .filter((advertisement) => selectsNode(advertisement, node))
    .flatMap(({ preferredNodes }) => preferredNodes)
    .filter(({ selector }) => matches(selector, node.metadata.labels))
    .reduce((sum, { weight }) => sum + weight, 0);
}
