import type { Pool } from '../crds/pool.ts';
import type { PoolNodes } from '../crds/pool-nodes.ts';
import { matches } from '../crds/selector.ts';
import {
  type Address,
  compareAddresses,
  type Family,
  formatAddress,
  sameAddress,
} from '../net/address.ts';
import { joinRanges } from '../net/range.ts';
import type { Ledger } from './ledger.ts';
import { returnSeconds, type RosterNode } from './node-roster.ts';
import { type Refusal, refusal } from './reasons.ts';
import type { Request } from './request.ts';

/** What is known of nodes. */
export type NodeWorld = {
  /** In name order. */
  readonly nodes: readonly RosterNode[];
  /** The nodes on which an endpoint serves a Service. */
  readonly servingOf: (service: string) => ReadonlySet<string>;
};

export type Surroundings = {
  readonly pools: readonly Pool[];
  readonly ledger: Ledger;
  readonly nodeWorld: NodeWorld;
};

/** A pool of the nodes themselves. */
export type NodePool = Pool & { readonly nodes: PoolNodes };

export const isNodePool = (pool: Pool): pool is NodePool => pool.nodes !== undefined;

/** What nodes give a Service: the whole of what it should have, and what is lacking all the same. */
export type Grant = { readonly addresses: readonly Address[]; readonly refusal?: Refusal };

/**
 * The addresses of the nodes of a pool for a Service: of all that are steady and, with the Local policy, serve it.
 * Where there are none, of those that came back just now; where there are none either, what it has stays, because a
 * node of which nothing is heard may well still be there. Only what another Service has a right to is taken from it.
 */
export function grantNodes(request: Request, pool: NodePool, around: Surroundings): Grant {
  const { ports } = request.terms;
  const reserved = ports.find((port) => pool.nodes.reservedPorts.has(numberOf(port)));
  if (reserved !== undefined) {
    const detail = `port ${reserved} is kept for the machines themselves (spec.nodes.reservedPorts of pool ${pool.name})`;
    return { addresses: [], refusal: refusal('PortTaken', detail) };
  }
  const chosen = nodesOf(pool, around.nodeWorld.nodes);
  const { own, taken } = divide(chosen, request, pool, around);
  const kept = heldOf(request, pool, around).filter(
    (address) => !taken.some(({ node }) => has(node, pool, address)),
  );
  if (chosen.length === 0)
    return { addresses: kept, refusal: refusal('NoNodeSelected', noneChosen(pool, around)) };
  const [first] = taken;
  if (own.length === 0 && first !== undefined)
    return { addresses: [], refusal: portTaken(first, taken.length, chosen.length) };
  const shares = request.families.map((family) => shareOf(family, own, { request, pool, around }));
  const addresses = shares.flatMap(({ family, picked }) =>
    picked.length > 0 ? picked : kept.filter((address) => address.family === family),
  );
  const lack = findLack(shares, own, request, pool);
  const claimed = first && portTaken(first, taken.length, chosen.length);
  if (addresses.length === 0 && claimed !== undefined && lack !== undefined)
    return { addresses, refusal: refusal(claimed.reason, `${claimed.detail}, and ${lack.detail}`) };
  const why = lack ?? claimed;
  return why === undefined ? { addresses } : { addresses, refusal: why };
}

/** The pool of nodes that gives all these addresses; an open one goes before a closed one. */
export function nodePoolOf(
  addresses: readonly Address[],
  { pools, nodeWorld }: Pick<Surroundings, 'pools' | 'nodeWorld'>,
): NodePool | undefined {
  if (addresses.length === 0) return undefined;
  const giving = pools.filter(isNodePool).filter((pool) => {
    const nodes = nodesOf(pool, nodeWorld.nodes);
    return addresses.every((address) => nodes.some((node) => has(node, pool, address)));
  });
  return giving.find(({ closed }) => closed === undefined) ?? giving[0];
}

/** A pool with what its steady nodes give for ranges: what it has in stock. */
export function stockOf(
  pool: NodePool,
  { nodes }: NodeWorld,
): { readonly stock: Pool; readonly readyNodes: number } {
  const steady = nodesOf(pool, nodes).filter((node) => node.steady);
  const ranges = steady
    .flatMap((node) => addressesOf(node, pool))
    .map(({ family, value }) => ({ family, first: value, last: value }));
  return { stock: { ...pool, ranges: joinRanges(ranges) }, readyNodes: steady.length };
}

/** The nodes that a pool means. */
const nodesOf = ({ nodes }: NodePool, all: readonly RosterNode[]): readonly RosterNode[] =>
  all.filter(({ excluded, labels }) => !excluded && matches(nodes.selector, labels));

/** What a node of a pool gives. */
const addressesOf = (node: RosterNode, { nodes }: NodePool): readonly Address[] =>
  node.addresses[nodes.addressType];

const has = (node: RosterNode, pool: NodePool, address: Address): boolean =>
  addressesOf(node, pool).some((one) => sameAddress(one, address));

const heldOf = (
  { service }: Request,
  { name }: Pool,
  { ledger }: Surroundings,
): readonly Address[] => {
  const held = ledger.shownBy(service);
  return held?.terms.onNodes === true && held.pool === name ? held.addresses : [];
};

/** A node on which a port of the Service is another's. */
type Taken = { readonly node: RosterNode; readonly what: string; readonly by: string };

/** Which nodes the Service may have, and which it may not because another has one of its ports there. */
function divide(
  chosen: readonly RosterNode[],
  request: Request,
  pool: NodePool,
  around: Surroundings,
): { readonly own: readonly RosterNode[]; readonly taken: readonly Taken[] } {
  const own: RosterNode[] = [];
  const taken: Taken[] = [];
  for (const node of chosen) {
    const claim = claimOn(node, request, pool, around);
    if (claim === undefined) own.push(node);
    else taken.push({ node, ...claim });
  }
  return { own, taken };
}

function claimOn(
  node: RosterNode,
  { service, terms }: Request,
  pool: NodePool,
  { pools, ledger }: Surroundings,
): Omit<Taken, 'node'> | undefined {
  const mine = addressesOf(node, pool);
  const isShown = (by: string) => mine.some((address) => ledger.owns(by, address));
  for (const rival of ledger.nodePorts.rivalsOf(service, pool.name, terms.ports)) {
    const theirs = pools.find(({ name }) => name === rival.pool);
    const reaches =
      theirs !== undefined &&
      isNodePool(theirs) &&
      theirs.nodes.addressType === pool.nodes.addressType &&
      nodesOf(theirs, [node]).length > 0;
    // What a status says goes before what only could be: nobody is moved by who came first in some other place.
    const [shownBy, shownHere] = [isShown(rival.service), isShown(service)];
    const isFirst = shownBy === shownHere ? rival.ahead : shownBy;
    if ((reaches || shownBy) && isFirst) return { what: `port ${rival.port}`, by: rival.service };
  }
  for (const address of mine) {
    const obstacle = ledger.obstacle(address, { service, terms: { ...terms, onNodes: true } });
    if (obstacle !== undefined) return { what: formatAddress(address), by: obstacle.holder };
  }
  return undefined;
}

type Share = {
  readonly family: Family;
  /** Whether any node that the Service may have has an address of the family. */
  readonly exists: boolean;
  readonly picked: readonly Address[];
  /** From steady nodes. */
  readonly steady: boolean;
};

type Scene = { readonly request: Request; readonly pool: NodePool; readonly around: Surroundings };

function shareOf(
  family: Family,
  own: readonly RosterNode[],
  { request, pool, around }: Scene,
): Share {
  const addressOf = (node: RosterNode) =>
    addressesOf(node, pool).filter((address) => address.family === family);
  const having = own.filter((node) => addressOf(node).length > 0);
  const serving = request.local ? around.nodeWorld.servingOf(request.service) : undefined;
  const able = having.filter(({ name, ready }) => ready && serving?.has(name) !== false);
  const steady = able.filter((node) => node.steady);
  const given = (steady.length > 0 ? steady : able).flatMap(addressOf).toSorted(compareAddresses);
  // Two nodes with one address are a mistake of somebody else's, and no reason to write it twice.
  const picked = given.filter((address, index) => {
    const before = given[index - 1];
    return before === undefined || !sameAddress(before, address);
  });
  return { family, exists: having.length > 0, picked, steady: steady.length > 0 };
}

function findLack(
  shares: readonly Share[],
  own: readonly RosterNode[],
  request: Request,
  { name, nodes }: NodePool,
): Refusal | undefined {
  const enough = (fits: (share: Share) => boolean): boolean =>
    request.secondOptional ? shares.some(fits) : shares.every(fits);
  if (!enough(({ exists }) => exists)) {
    const missing = shares.filter(({ exists }) => !exists).map(({ family }) => family);
    const detail = `no node of pool ${name} has an ${missing.join(' and an ')} ${nodes.addressType}`;
    return refusal('PoolLacksFamily', detail);
  }
  if (enough(({ steady }) => steady)) return undefined;
  if (request.local && own.some(({ steady }) => steady)) {
    const detail = `externalTrafficPolicy is Local, and on no Ready node of pool ${name} an endpoint serves the Service`;
    return refusal('NoServingNode', detail);
  }
  // The same words while a node flaps, so that they are written once.
  const detail = `no node of pool ${name} has been Ready for ${returnSeconds} s`;
  return refusal('NoReadyNode', detail);
}

function noneChosen({ name, nodes }: NodePool, { nodeWorld }: Surroundings): string {
  const matching = nodeWorld.nodes.filter(({ labels }) => matches(nodes.selector, labels)).length;
  return matching === 0
    ? `spec.nodes.selector of pool ${name} matches none of ${nodeWorld.nodes.length} nodes`
    : `all ${matching} nodes of pool ${name} have the label node.kubernetes.io/exclude-from-external-load-balancers`;
}

function portTaken({ node, what, by }: Taken, count: number, of: number): Refusal {
  const where = count === of ? `the nodes` : `node ${node.name}`;
  const more = count === of || count === 1 ? '' : ` and ${count - 1} more`;
  return refusal('PortTaken', `${what} of ${where}${more} is held by ${by}`);
}

/** Of `TCP/80`. */
const numberOf = (port: string): number => Number(port.slice(port.indexOf('/') + 1));
