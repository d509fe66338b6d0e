import type { Model } from '../crds/model.ts';
import type { Occupied, Pool } from '../crds/pool.ts';
import type { Problem } from '../crds/problem.ts';
import { readNetwork } from '../crds/notation.ts';
import { type Kind, kinds } from '../kube/kinds.ts';
import type { KubeObject, Node, ServiceCidr } from '../kube/object.ts';
import { parseAddress } from '../net/address.ts';
import { formatRange, intersection, type Range, rangesOverlap } from '../net/range.ts';

/** What a node says that it has itself: its own addresses, and the network of its Pods. */
export function occupiedByNode({ metadata, spec, status }: Node): readonly Occupied[] {
  const own = (status?.addresses ?? []).flatMap(({ address }): Occupied[] => {
    const parsed = parseAddress(address);
    if (parsed === undefined) return [];
    const { family, value } = parsed;
    const range: Range = { family, first: value, last: value };
    return [{ range, by: `an address of node ${metadata.name}` }];
  });
  const pods = networks(spec?.podCIDRs ?? [], `the Pod network of node ${metadata.name}`);
  return [...own, ...pods];
}

/** What an object of the cluster says that is somebody's already. */
export const occupiedBy = (kind: Kind, object: KubeObject): readonly Occupied[] =>
  // What the API server serves under a kind has the shape of that kind.
  kind === kinds.node ? occupiedByNode(object as Node) : occupiedByServices(object as ServiceCidr);

/** The network from which Services get their cluster addresses. */
export const occupiedByServices = ({ metadata, spec }: ServiceCidr): readonly Occupied[] =>
  networks(spec?.cidrs ?? [], `ServiceCIDR ${metadata.name}`);

const networks = (texts: readonly string[], by: string): readonly Occupied[] =>
  texts.flatMap((text) => {
    const range = readNetwork(text);
    return range === undefined ? [] : [{ range, by }];
  });

/** The model, each pool with what of it the cluster has itself. */
export function occupyModel(model: Model, occupied: readonly Occupied[], namespace: string): Model {
  const problems: Problem[] = [];
  const pools = model.pools.map((pool) => {
    const within = occupied.filter(({ range }) =>
      pool.ranges.some((own) => rangesOverlap(own, range)),
    );
    problems.push(
      ...within.flatMap((one) => faultsOf(pool, one).map((fault) => ({ ...fault, namespace }))),
    );
    return within.length === 0 ? pool : { ...pool, occupied: within };
  });
  return { ...model, pools, problems: [...model.problems, ...problems] };
}

/** One address of a node in a pool is left out and that is that; a whole network is a mistake. */
function faultsOf({ name, ranges }: Pool, { range, by }: Occupied): readonly Problem[] {
  const own = ranges.find((each) => rangesOverlap(each, range));
  if (own === undefined || range.first === range.last) return [];
  const shared = formatRange(intersection(own, range));
  const detail = `spec.addresses shares ${shared} with ${by}: take it out; nobody gets an address of it`;
  return [{ kind: 'IPAddressPool', name, reason: 'OccupiedNetwork', detail }];
}
