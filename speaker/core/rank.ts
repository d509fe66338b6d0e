import { hashText, mix } from './hash.ts';

/** A node that the plan allows to hold an address; higher scores come first. */
export type Candidate = { readonly node: string; readonly score: number };

/** A candidate as it is compared: with the addresses it holds or is about to, and its share of every lot. */
export type Contender = {
  readonly score: number;
  readonly isSick: boolean;
  readonly runner: Runner;
};
export type Runner = { readonly node: string; readonly seed: number; load: number };

export const runnerOf = (node: string, load: number): Runner => ({
  node,
  seed: hashText(node),
  load,
});

/**
 * A pseudo-random order of the nodes, the same on every node and another one for every address. Two hashes of texts are
 * mixed instead of hashing both texts together: a start with 10,000 addresses and 200 nodes draws two million lots.
 */
const lot = (nodeSeed: number, addressSeed: number): number => mix(nodeSeed ^ addressSeed);

function drawsBefore(a: Runner, b: Runner, addressSeed: number): boolean {
  const [first, second] = [lot(a.seed, addressSeed), lot(b.seed, addressSeed)];
  return first === second ? a.node < b.node : first < second;
}

/** Where an address is to go: the nodes that hold others of its Service are the last choice among equals. */
export type Ground = { readonly addressSeed: number; readonly avoided: ReadonlySet<string> };

const nobody: ReadonlySet<string> = new Set();

export const groundOf = (address: string, avoided = nobody): Ground => ({
  addressSeed: hashText(address),
  avoided,
});

/**
 * Whether `a` comes before `b`: by not being sick, then by score, then by holding nothing else of the same Service, then by how few addresses
 * it holds, then by lot. Nodes that see the same candidates and loads come to the same order.
 */
function isAhead(a: Contender, b: Contender, { addressSeed, avoided }: Ground): boolean {
  if (a.isSick !== b.isSick) return b.isSick;
  if (a.score !== b.score) return a.score > b.score;
  if (avoided.size > 0) {
    const [beside, besideB] = [avoided.has(a.runner.node), avoided.has(b.runner.node)];
    if (beside !== besideB) return besideB;
  }
  if (a.runner.load !== b.runner.load) return a.runner.load < b.runner.load;
  return drawsBefore(a.runner, b.runner, addressSeed);
}

/** The one that no other is ahead of. */
export function firstOf(contenders: readonly Contender[], ground: Ground): Contender | undefined {
  let [first] = contenders;
  for (const one of contenders) {
    if (first !== undefined && one !== first && isAhead(one, first, ground)) first = one;
  }
  return first;
}

/** How many are ahead of the node; undefined where it is not among them. */
export function turnOf(
  node: string,
  contenders: readonly Contender[],
  ground: Ground,
): number | undefined {
  const self = contenders.find(({ runner }) => runner.node === node);
  if (self === undefined) return undefined;
  let turn = 0;
  for (const one of contenders) if (one !== self && isAhead(one, self, ground)) turn++;
  return turn;
}

/** One claim to an address. */
type Claim = { readonly holder: string; readonly term: number };

/** Whether `a` beats `b` for this address: the higher term, between equals the better lot. */
export function beats(address: string, a: Claim, b: Claim): boolean {
  if (a.term !== b.term) return a.term > b.term;
  return drawsBefore(runnerOf(a.holder, 0), runnerOf(b.holder, 0), hashText(address));
}
