import { parseAddress } from '../net/address.ts';
import { type Range, rangesContain } from '../net/range.ts';
import { isLost } from '../kube/node-state.ts';
import type { Listed, Roster } from './core/action.ts';
import type { World } from './plan.ts';

/** The Service without an address that stands for the speakers themselves: its endpoints say where one runs. */
export const speakersService = 'mercurylb-speaker';

/** A node that has a speaker, the addresses of the node itself, and how it is with both. */
export type Speaker = {
  readonly node: string;
  readonly addresses: readonly string[];
  readonly state: Listed['state'];
};

/**
 * Where speakers run, as the API has it. An endpoint is ready as long as its Pod is; of a node that is not heard of the
 * node controller says so after its grace period.
 */
export function speakersOf(
  { nodes, slicesOf }: Pick<World, 'nodes' | 'slicesOf'>,
  namespace: string,
): readonly Speaker[] {
  const slices = slicesOf(`${namespace}/${speakersService}`);
  const endpoints = slices.flatMap((slice) => slice.endpoints ?? []);
  const listed = new Set(endpoints.map(({ nodeName }) => nodeName));
  const ready = new Set(
    endpoints
      .filter(({ conditions }) => conditions?.ready !== false)
      .map(({ nodeName }) => nodeName),
  );
  return nodes
    .filter(({ metadata }) => listed.has(metadata.name))
    .map((node) => ({
      node: node.metadata.name,
      addresses: (node.status?.addresses ?? [])
        .filter(({ type }) => type === 'InternalIP')
        .map(({ address }) => address),
      state: isLost(node) ? 'NodeLost' : ready.has(node.metadata.name) ? 'Ready' : 'NotReady',
    }));
}

/** Whether this is the first of the nodes whose speakers are ready: one of them does what any of them can. */
export const isFirst = (node: string, speakers: readonly Speaker[]): boolean =>
  speakers.find(({ state }) => state === 'Ready')?.node === node;

/** Who of them is to be heard behind a link: those with an address in one of its networks. */
export function rosterOf(
  speakers: readonly Speaker[],
  link: { readonly networks: readonly Range[] },
  self: string,
): Roster {
  const roster = new Map<string, Listed>();
  for (const { node, addresses, state } of speakers) {
    const here = addresses.find((text) => {
      const address = parseAddress(text);
      return address !== undefined && rangesContain(link.networks, address);
    });
    if (here !== undefined && node !== self) roster.set(node, { udp: here, state });
  }
  return roster;
}
