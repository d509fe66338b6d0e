import { hash } from 'node:crypto';

/** A node that the plan allows to hold an address; higher scores come first. */
export type Candidate = { readonly node: string; readonly score: number };

/** The same pseudo-random order on every node, another one for every address. */
export const lot = (node: string, address: string): string => hash('sha256', `${node}#${address}`);

/**
 * The candidates for an address, best first: by score, then by how few addresses a node holds already, then by lot.
 * Nodes that see the same candidates and loads come to the same order.
 */
export function rank(
  address: string,
  candidates: readonly Candidate[],
  loadOf: (node: string) => number,
): readonly string[] {
  return candidates
    .map(({ node, score }) => ({ node, score, load: loadOf(node), lot: lot(node, address) }))
    .sort((a, b) => b.score - a.score || a.load - b.load || (a.lot < b.lot ? -1 : 1))
    .map(({ node }) => node);
}

/** One claim to an address. */
export type Claim = { readonly holder: string; readonly term: number };

/** Whether `a` beats `b` for this address: the higher term, between equals the better lot. */
export function beats(address: string, a: Claim, b: Claim): boolean {
  if (a.term !== b.term) return a.term > b.term;
  return lot(a.holder, address) < lot(b.holder, address);
}
