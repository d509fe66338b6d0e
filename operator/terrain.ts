import { nodeNetworkKind } from '../crds/names.ts';
import { parseNodeNetwork, type Standing } from '../crds/node-network.ts';
import { readNetwork } from '../crds/notation.ts';
import type { Occupied, Sighting } from '../crds/pool.ts';
import { type Kind, kinds } from '../kube/kinds.ts';
import { unheardSince } from '../kube/node-state.ts';
import type { KubeObject, Node, ServiceCidr } from '../kube/object.ts';
import { type Address, parseAddress } from '../net/address.ts';
import type { Range } from '../net/range.ts';

/** What an object of the cluster says about the addresses around it. */
export type Terrain = {
  /** Whose addresses are whose already. */
  readonly occupied: readonly Occupied[];
  /** The networks in which a node stands, where its speaker has said so. */
  readonly networks?: readonly Range[];
  /** What machines outside the cluster use, as far as the node has seen. */
  readonly foreign?: readonly Sighting[];
  /** Of a node: since when nothing has been heard of it. */
  readonly unheardSince?: Date | undefined;
};

/** The kinds that say something about it; which of them an API server has depends on its version and on what is installed. */
export const terrainKinds: readonly Kind[] = [kinds.node, kinds.serviceCidr, nodeNetworkKind];

/** What an object of one of these kinds says. Whatever stands in it, this never throws. */
export function readTerrain({ kind }: Kind, object: KubeObject): Terrain {
  // What the API server serves under a kind has the shape of that kind.
  if (kind === kinds.node.kind) {
    const node = object as Node;
    return { occupied: occupiedByNode(node), unheardSince: unheardSince(node) };
  }
  if (kind === kinds.serviceCidr.kind)
    return { occupied: occupiedByServices(object as ServiceCidr) };
  const standings = parseNodeNetwork('status' in object ? object.status : {}) ?? [];
  return {
    occupied: standings.flatMap((standing) => occupiedAround(object.metadata.name, standing)),
    networks: standings.flatMap(({ addresses }) => addresses.map(({ network }) => network)),
    foreign: standings.flatMap(({ link, foreign }) =>
      foreign.map((one) => ({ ...one, node: object.metadata.name, link })),
    ),
  };
}

/** A node's own addresses, and the network of its Pods. */
function occupiedByNode({ metadata, spec, status }: Node): readonly Occupied[] {
  const own = (status?.addresses ?? []).flatMap(({ address }) => parseAddress(address) ?? []);
  return [
    ...own.map((address) => single(address, `an address of node ${metadata.name}`)),
    ...networks(spec?.podCIDRs ?? [], `the Pod network of node ${metadata.name}`),
  ];
}

/** The networks from which Services get their cluster addresses. */
const occupiedByServices = ({ metadata, spec }: ServiceCidr): readonly Occupied[] =>
  networks(spec?.cidrs ?? [], `in ServiceCIDR ${metadata.name}`);

/** What a node sees on a link: itself, its routers, and the ends of its networks, which are nobody's. */
function occupiedAround(
  node: string,
  { link, addresses, gateways }: Standing,
): readonly Occupied[] {
  return [
    ...addresses.map(({ address }) => single(address, `an address of node ${node} (${link})`)),
    ...gateways.map((address) => single(address, `the gateway of node ${node} (${link})`)),
    ...addresses.flatMap(({ network }) => endsOf(network, `${node} (${link})`)),
  ];
}

/** RFC 3021: a network of two addresses has no ends. IPv6 has no broadcast, and its first address is any router (RFC 4291 §2.6.1). */
function endsOf({ family, first, last }: Range, where: string): readonly Occupied[] {
  if (last - first < 2n) return [];
  const router = `of any router on the network of ${where}`;
  const start = family === 'IPv4' ? `the network address of ${where}` : router;
  const ends = [single({ family, value: first }, start)];
  if (family === 'IPv4')
    ends.push(single({ family, value: last }, `the broadcast address of ${where}`));
  return ends;
}

const single = ({ family, value }: Address, by: string): Occupied => ({
  range: { family, first: value, last: value },
  by,
});

const networks = (texts: readonly string[], by: string): readonly Occupied[] =>
  texts.flatMap((text) => {
    const range = readNetwork(text);
    return range === undefined ? [] : [{ range, by }];
  });
