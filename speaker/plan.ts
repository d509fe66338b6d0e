import { type Advertisement, selectsPool } from '../crds/advertisement.ts';
import type { Model } from '../crds/model.ts';
import { readAnnotation } from '../crds/names.ts';
import type { Pool } from '../crds/pool.ts';
import { indexPools } from '../crds/pool-index.ts';
import { type Address, formatAddress, parseAddress } from '../net/address.ts';
import { type EndpointSlice, keyOf, type Node, type Service } from '../kube/object.ts';
import { candidatesFor, linksOf, type Silence } from './candidates.ts';
import type { Candidate } from './core/rank.ts';
import { type Standings, withLink } from './reach.ts';

/** Everything a plan is made of. */
export type World = {
  readonly services: readonly Service[];
  /** By the Service's `namespace/name`. */
  readonly slicesOf: (service: string) => readonly EndpointSlice[];
  readonly nodes: readonly Node[];
  readonly model: Model;
  readonly standings: Standings;
};

export type PlanSettings = {
  /** The node that this plan is for. */
  readonly node: string;
  /** Only Services of this class are ours; undefined: those without a class. */
  readonly loadBalancerClass: string | undefined;
  readonly ignoreExcludeLabel: boolean;
};

export type PlannedAddress = {
  /** `namespace/name` of the Services that have the address. */
  readonly services: readonly string[];
  readonly candidates: readonly Candidate[];
  /** Where this node may announce it; undefined: on every link in the address's network. */
  readonly links: readonly string[] | undefined;
  /** The nodes that have found another station to have it: who takes it from one of them probes first. */
  readonly quarantinedBy?: readonly string[];
};

/** Which addresses are to be answered for, by whom and where; by canonical address. */
export type Plan = ReadonlyMap<string, PlannedAddress>;

/** An address of a Service that nobody answers for, and why. */
export type Silent = {
  readonly service: string;
  readonly address: string;
  readonly reason: Silence;
};

/** The plan of one node: the candidates are the same on every node, the links are its own. */
export function planFor(
  world: World,
  settings: PlanSettings,
): { readonly plan: Plan; readonly silent: readonly Silent[] } {
  const plan = new Map<string, PlannedAddress>();
  const silent: Silent[] = [];
  const poolOf = poolFinder(world.model.pools);
  const advertisementsOf = cachedByPool(world.model.advertisements);
  const once = sharedWhereSame();
  const { standings } = world;
  const nodes = new Map(world.nodes.map((node) => [node.metadata.name, node]));
  const self = nodes.get(settings.node);
  const quarantines = quarantinesOf(world);
  const ofNodes = new Set(world.nodes.flatMap(canonicalAddresses));
  for (const service of world.services) {
    if (!isOurs(service, settings.loadBalancerClass) || hasNodeAddresses(service)) continue;
    const key = keyOf(service);
    for (const address of addressesOf(service)) {
      if (ofNodes.has(formatAddress(address))) {
        silent.push({ service: key, address: formatAddress(address), reason: 'NodeAddress' });
        continue;
      }
      const candidacy = candidatesFor({
        service,
        slices: world.slicesOf(key),
        advertisements: advertisementsOf(poolOf(address, service)),
        nodes: world.nodes,
        ignoreExcludeLabel: settings.ignoreExcludeLabel,
      });
      const text = formatAddress(address);
      if (candidacy.kind === 'silent') {
        silent.push({ service: key, address: text, reason: candidacy.reason });
        continue;
      }
      const { candidates, advertisements } = candidacy;
      const quarantinedBy = quarantines.get(text);
      const planned: PlannedAddress = {
        services: [key],
        candidates: once(withLink(candidates, address, { advertisements, nodes, standings })),
        links: self === undefined ? [] : linksOf(advertisements, self),
        ...(quarantinedBy && { quarantinedBy }),
      };
      const before = plan.get(text);
      plan.set(text, before === undefined ? planned : shared(before, planned));
    }
  }
  return { plan, silent };
}

/** Who has quarantined which addresses; a lost node, too: it may still be the one from which they are taken. */
function quarantinesOf({ nodes, standings }: World): ReadonlyMap<string, readonly string[]> {
  const quarantines = new Map<string, string[]>();
  for (const {
    metadata: { name },
  } of nodes) {
    const found = (standings(name) ?? []).flatMap(({ foreign }) => foreign);
    for (const { address, state } of found) {
      if (state !== 'Quarantined') continue;
      const text = formatAddress(address);
      const by = quarantines.get(text) ?? [];
      // On two links it is still one node.
      if (by.at(-1) !== name) quarantines.set(text, [...by, name]);
    }
  }
  return quarantines;
}

export function isOurs({ spec }: Service, loadBalancerClass: string | undefined): boolean {
  return spec?.type === 'LoadBalancer' && spec.loadBalancerClass === loadBalancerClass;
}

/** They are the nodes' own, or were: a node that was deleted may well still run, and answer. */
const hasNodeAddresses = ({ metadata }: Service): boolean =>
  readAnnotation(metadata.annotations, 'has-node-addresses') !== undefined;

export const addressesOf = ({ status }: Service): Address[] =>
  (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => {
    const address = ip === undefined ? undefined : parseAddress(ip);
    return address === undefined ? [] : [address];
  });

/** What a machine answers for itself: to answer for it, too, would cut it off. */
const canonicalAddresses = ({ status }: Node): readonly string[] =>
  (status?.addresses ?? []).flatMap(({ address }) => {
    const parsed = parseAddress(address);
    return parsed === undefined ? [] : [formatAddress(parsed)];
  });

/** The pool around the address; where its pool is gone, what the operator wrote down of it still selects. */
function poolFinder(pools: readonly Pool[]) {
  const around = indexPools(pools);
  const named = new Map(pools.map((pool) => [pool.name, pool]));
  return (address: Address, { metadata }: Service): PoolIdentity => {
    const name = readAnnotation(metadata.annotations, 'ip-allocated-from-pool') ?? '';
    return around(address) ?? named.get(name) ?? { name, labels: {} };
  };
}

type PoolIdentity = Pick<Pool, 'name' | 'labels'>;

/**
 * Most Services have the same candidates. One list for all of them makes the plan a fraction as long where it is handed
 * to the wire thread, and where it is kept there.
 */
function sharedWhereSame() {
  const known = new Map<string, readonly Candidate[]>();
  return (candidates: readonly Candidate[]): readonly Candidate[] => {
    const key = candidates.map(({ node, score }) => `${node} ${score}`).join();
    const same = known.get(key);
    if (same === undefined) known.set(key, candidates);
    return same ?? candidates;
  };
}

function cachedByPool(advertisements: readonly Advertisement[]) {
  const cache = new Map<string, readonly Advertisement[]>();
  return (pool: PoolIdentity): readonly Advertisement[] => {
    const known = cache.get(pool.name);
    if (known !== undefined) return known;
    const selecting = advertisements.filter((advertisement) => selectsPool(advertisement, pool));
    cache.set(pool.name, selecting);
    return selecting;
  };
}

/** Several Services on one address have one holder: a node that is a candidate for all, if there is one. */
function shared(a: PlannedAddress, b: PlannedAddress): PlannedAddress {
  const both = a.candidates.filter(({ node }) => b.candidates.some((one) => one.node === node));
  const links =
    a.links === undefined || b.links === undefined
      ? undefined
      : [...new Set([...a.links, ...b.links])].sort();
  return {
    ...a,
    services: [...a.services, ...b.services],
    candidates: both.length > 0 ? both : a.candidates,
    links,
  };
}
