import type { Advertisement } from '../crds/advertisement.ts';
import type { Standing } from '../crds/node-network.ts';
import type { Node } from '../kube/object.ts';
import { type Address, parseAddress } from '../net/address.ts';
import { type Range, rangeContains, rangesContain } from '../net/range.ts';
import { linksOf } from './candidates.ts';
import type { Candidate } from './core/rank.ts';

/** Where a node stands, as its speaker has written it; undefined while it has not. */
export type Standings = (node: string) => readonly Standing[] | undefined;

/**
 * The candidates that have a link for an address: one that an advertisement names, or one in the address's network. Who
 * has not said where it stands may have one. Where nobody seems to, what is written is not believed.
 */
export function withLink(
  candidates: readonly Candidate[],
  address: Address,
  scene: {
    readonly advertisements: readonly Advertisement[];
    readonly nodes: ReadonlyMap<string, Node>;
    readonly standings: Standings;
  },
): readonly Candidate[] {
  const near = candidates.filter(({ node: name }) => {
    const node = scene.nodes.get(name);
    const standings = scene.standings(name);
    if (node === undefined || standings === undefined) return true;
    const links = linksOf(scene.advertisements, node);
    return standings.some(({ link, addresses }) =>
      links === undefined
        ? addresses.some(({ network }) => rangeContains(network, address))
        : links.includes(link),
    );
  });
  return near.length === 0 ? candidates : near;
}

/** Whether an address may be announced on a link: one of those that are named for it, or one in its network. */
export function isReached(
  link: { readonly name: string; readonly networks: readonly Range[] },
  text: string,
  names: readonly string[] | undefined,
): boolean {
  if (names !== undefined) return names.includes(link.name);
  const address = parseAddress(text);
  return address !== undefined && rangesContain(link.networks, address);
}
