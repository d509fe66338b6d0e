import { parseAddress } from '../net/address.ts';
import { rangesContain } from '../net/range.ts';
import type { Link } from './io/link.ts';
import type { Speaker } from './roster.ts';

/** Brings a sealed message to other speakers by another way than the link that it is about. */
export type Detour = (payload: Uint8Array) => void;

/** What of this node may lead around a dead link. */
type Surroundings = {
  readonly node: string;
  /** Its announcing links, that one included. */
  readonly links: Iterable<{ readonly link: Link; relay(payload: Uint8Array): void }>;
  readonly speakers: readonly Speaker[];
  readonly sendDatagram: (payload: Uint8Array, to: string) => void;
};

/**
 * The ways around a dead link: frames on the node's other links, and datagrams to the other nodes at addresses that do
 * not lie behind that link. Empty where there are none.
 */
export function detoursAround(
  dead: Pick<Link, 'index' | 'networks'>,
  { node, links, speakers, sendDatagram }: Surroundings,
): readonly Detour[] {
  const relays = [...links]
    .filter(({ link }) => link.index !== dead.index && link.running)
    .map((other): Detour => {
      return (payload) => other.relay(payload);
    });
  const elsewhere = speakers
    .filter((speaker) => speaker.node !== node)
    .flatMap(({ addresses }) => addresses.find((text) => !isBehind(dead, text)) ?? []);
  return [
    ...relays,
    ...elsewhere.map((to): Detour => {
      return (payload) => sendDatagram(payload, to);
    }),
  ];
}

function isBehind({ networks }: Pick<Link, 'networks'>, text: string): boolean {
  const address = parseAddress(text);
  return address === undefined || rangesContain(networks, address);
}
