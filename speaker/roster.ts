import { parseAddress } from '../net/address.ts';
import { type Range, rangeContains } from '../net/range.ts';
import type { Roster } from './core/action.ts';
import type { World } from './plan.ts';

/** The Service without an address that stands for the speakers themselves: its endpoints say where one runs. */
export const speakersService = 'mercurylb-speaker';

/** A node whose speaker is ready, and the addresses of the node itself. */
export type Speaker = { readonly node: string; readonly addresses: readonly string[] };

/**
 * Where speakers run, as the API has it. An endpoint is ready as long as its Pod is; of a node that is not heard of the
 * node controller says after its grace period that its Pods are not.
 */
export function speakersOf(
  { nodes, slicesOf }: Pick<World, 'nodes' | 'slicesOf'>,
  namespace: string,
): readonly Speaker[] {
  const ready = new Set(
    slicesOf(`${namespace}/${speakersService}`)
      .flatMap(({ endpoints }) => endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false)
      .map(({ nodeName }) => nodeName),
  );
  return nodes
    .filter(({ metadata }) => ready.has(metadata.name))
    .map(({ metadata, status }) => ({
      node: metadata.name,
      addresses: (status?.addresses ?? [])
        .filter(({ type }) => type === 'InternalIP')
        .map(({ address }) => address),
    }));
}

/** Who of them is to be heard behind a link: those with an address in one of its networks. */
export function rosterOf(
  speakers: readonly Speaker[],
  link: { readonly networks: readonly Range[] },
  self: string,
): Roster {
  const roster = new Map<string, string>();
  for (const { node, addresses } of speakers) {
    const here = addresses.find((text) => {
      const address = parseAddress(text);
      return address !== undefined && link.networks.some((one) => rangeContains(one, address));
    });
    if (here !== undefined && node !== self) roster.set(node, here);
  }
  return roster;
}
