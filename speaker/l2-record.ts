import type { L2Holder, L2Status } from '../crds/l2-status.ts';
import { placeOf } from '../kube/object.ts';
import { type Address, compareAddresses, parseAddress } from '../net/address.ts';
import { beats } from './core/rank.ts';
import type { Held } from './orders.ts';
import { isSameList } from './same-list.ts';

/** One address that this node answers for on one link, and since when. */
export type HeldHere = { readonly fact: Held; readonly since: Date };

/** What one node knows of a Service's addresses. */
export type Knowledge = {
  /** `namespace/name`. */
  readonly service: string;
  readonly node: string;
  /** The addresses that the plan has for the Service; none: it is announced no more. */
  readonly planned: readonly string[];
  readonly held: readonly HeldHere[];
};

/** What is to become of the object. `contested` names the better claims of others that stand written. */
export type Outcome =
  | { readonly kind: 'keep'; readonly contested?: string }
  | { readonly kind: 'write'; readonly status: L2Status; readonly contested?: string }
  /** Nobody holds anything. */
  | { readonly kind: 'remove' };

/**
 * What the object of a Service should say, given what stands in it. A node writes its own entries, takes out those of
 * whom it took an address over from and those of addresses that the Service has no longer, and leaves the others. A
 * better claim to the same address on the same link is left standing, too: this node may not know yet that it has lost.
 * `overruled` names such claims that are not left: whoever still holds after a while is the holder.
 */
export function recordOf(
  written: L2Status,
  { service, node, planned, held }: Knowledge,
  overruled?: string,
): Outcome {
  const before = written.holders ?? [];
  const others = before.filter((entry) => entry.node !== node && planned.includes(entry.address));
  const better = others.filter((entry) => held.some((mine) => isBetter(entry, mine, node)));
  const claims = better.map((entry) => `${entry.address} ${entry.node} ${entry.term}`).join();
  const contested = claims === '' ? {} : { contested: claims };
  const lost = claims === overruled ? [] : better;
  const mine = held.filter((one) => !lost.some((entry) => isSamePlace(entry, one.fact)));
  const left = others.filter((entry) => !mine.some(({ fact }) => isFollowedBy(entry, fact)));
  const own = mine.map((one) => entryOf(one, node));
  const holders = inOrder([...left, ...own]);
  if (holders.length === 0) return { kind: 'remove' };
  const moved = own.some((entry) => hasMoved(entry, before));
  const moves = (written.moves ?? 0) + (moved ? 1 : 0);
  const status = { ...summaryOf(service, holders), moves, holders };
  if (isSame(status, written)) return { kind: 'keep', ...contested };
  return { kind: 'write', status, ...contested };
}

type Place = Pick<Held, 'address' | 'link'>;

const isSamePlace = (entry: L2Holder, { address, link }: Place): boolean =>
  entry.address === address && entry.interface === link;

const isBetter = (entry: L2Holder, { fact }: HeldHere, node: string): boolean =>
  isSamePlace(entry, fact) &&
  beats(
    fact.address,
    { holder: entry.node, term: entry.term ?? 0 },
    { holder: node, term: fact.term },
  );

/**
 * Whether the entry is that of a former holder. Its link may have another name than ours; one that lives, and answers on
 * another link, puts its entry back.
 */
const isFollowedBy = (entry: L2Holder, fact: Held): boolean =>
  isSamePlace(entry, fact) || (entry.address === fact.address && entry.node === fact.from);

function entryOf({ fact, since }: HeldHere, node: string): L2Holder {
  const { address, link, mac, term, from, reason, silentMs, decisionMs, takeoverMs } = fact;
  return {
    address,
    interface: link,
    node,
    mac,
    since: since.toISOString(),
    term,
    ...(from === undefined ? {} : { previousNode: from }),
    reason,
    ...(silentMs === undefined ? {} : { detectionMs: Math.round(silentMs) }),
    ...(decisionMs === undefined ? {} : { decisionMs: Math.round(decisionMs) }),
    takeoverMs: Math.round(takeoverMs),
  };
}

/** The fields that MetalLB has, and the columns of `kubectl get`. */
function summaryOf(service: string, holders: readonly L2Holder[]): L2Status {
  const { namespace: serviceNamespace = '', name: serviceName } = placeOf(service);
  const { node = '', mac = '' } = holders[0] ?? {};
  const links = holders.filter((entry) => entry.node === node).map((entry) => entry.interface);
  const [last] = holders.toSorted((a, b) => (b.since ?? '').localeCompare(a.since ?? ''));
  const { since = '', reason = '', previousNode } = last ?? {};
  return {
    node,
    serviceName,
    serviceNamespace,
    interfaces: distinct(links).map((name) => ({ name })),
    addresses: distinct(holders.map(({ address }) => address)),
    nodes: distinct(holders.map((entry) => entry.node)),
    mac,
    since,
    ...(previousNode === undefined ? {} : { previousNode }),
    reason,
  };
}

/** Whether an own entry is news, and another node answered there before. */
function hasMoved(own: L2Holder, before: readonly L2Holder[]): boolean {
  const there = before.filter(
    (entry) => entry.address === own.address && entry.interface === own.interface,
  );
  if (there.some(({ node, term }) => node === own.node && term === own.term)) return false;
  const from = own.previousNode ?? there[0]?.node;
  return from !== undefined && from !== own.node;
}

/** The same on every node: by address, as numbers, then by interface and node. */
function inOrder(holders: readonly L2Holder[]): L2Holder[] {
  return holders.toSorted(
    (a, b) =>
      compareAddresses(addressOf(a), addressOf(b)) ||
      a.interface.localeCompare(b.interface) ||
      a.node.localeCompare(b.node),
  );
}

const addressOf = ({ address }: L2Holder): Address =>
  parseAddress(address) ?? { family: 'IPv4', value: 0n };

/** Whether writing would change nothing. */
const isSame = (a: L2Status, b: L2Status): boolean =>
  isSameList(a.holders?.map(gistOf), b.holders?.map(gistOf));

const gistOf = ({ address, interface: link, node, mac, term }: L2Holder): string =>
  [address, link, node, mac, term].join(' ');

const distinct = (texts: readonly string[]): string[] => [...new Set(texts)];
