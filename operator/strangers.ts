import type { Pool, Siege, Sighting, Strangers } from '../crds/pool.ts';
import { type Family, formatAddress } from '../net/address.ts';
import { rangesContain } from '../net/range.ts';
import { excludes, poolSize } from './pool-addresses.ts';

/**
 * Hardly a machine has so many addresses of a pool for itself, or more than half of it: it answers for every address of
 * the network, as a router does that has proxy ARP or proxy NDP turned on, or announces for another cluster.
 */
const manyOfOneMachine = 8;
/** In a pool of two addresses a single one is half of it. */
const fewestOfSiege = 3;

/** Those seen first go first: what is told of an address stays the same when more nodes see it. */
export const inOrder = (sightings: readonly Sighting[]): readonly Sighting[] =>
  sightings.toSorted(
    (a, b) =>
      a.since.getTime() - b.since.getTime() ||
      compareTexts(a.node, b.node) ||
      compareTexts(a.link, b.link),
  );

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * What machines outside the cluster use of a pool. Of several sightings of one address the first counts, and before all
 * that of a node which answers for it: the address is in use, whatever another node has found.
 */
export function strangersIn(pool: Pool, sightings: readonly Sighting[]): Strangers | undefined {
  const quarantined = new Map<string, Sighting>();
  const contested = new Map<string, Sighting>();
  for (const sighting of sightings) {
    if (!rangesContain(pool.ranges, sighting.address)) continue;
    const found = sighting.state === 'Quarantined' ? quarantined : contested;
    const text = formatAddress(sighting.address);
    if (!found.has(text)) found.set(text, sighting);
  }
  for (const text of contested.keys()) quarantined.delete(text);
  if (quarantined.size + contested.size === 0) return undefined;
  // What is excluded the machine may have.
  const disturbing = [...quarantined.values(), ...contested.values()].filter(
    ({ address }) => !excludes(pool, address),
  );
  const siege = findSiege(disturbing, poolSize(pool));
  return { quarantined, contested, ...(siege && { siege }) };
}

function findSiege(
  sightings: readonly Sighting[],
  size: Readonly<Record<Family, bigint>>,
): Siege | undefined {
  const machines = new Map<string, { readonly sighting: Sighting; count: number }>();
  for (const sighting of sightings) {
    const key = `${sighting.address.family} ${sighting.mac}`;
    const machine = machines.get(key);
    if (machine === undefined) machines.set(key, { sighting, count: 1 });
    else machine.count++;
  }
  const [worst] = [...machines.values()].toSorted((a, b) => b.count - a.count);
  if (worst === undefined || worst.count < fewestOfSiege) return undefined;
  const isMost = 2n * BigInt(worst.count) > size[worst.sighting.address.family];
  return isMost || worst.count >= manyOfOneMachine ? { ...worst, isMost } : undefined;
}

/** What is the case with an address, as a clause. */
export const describeSighting = (
  { address, mac, node, link }: Sighting,
  { name }: Pick<Pool, 'name'>,
): string =>
  `${formatAddress(address)} of pool ${name} is used by another machine with MAC ${mac} (seen by ${node} on ${link})`;

export const describeSiege = ({ sighting: { address, mac, node, link }, count }: Siege): string =>
  `another machine with MAC ${mac} uses ${count} addresses of the pool, ${formatAddress(address)} among them (seen by ${node} on ${link})`;

/** Beside the addresses of a pool that are in use: what other machines have is no part of what it can give. */
export const countOthers = (quarantined: number): string =>
  quarantined === 0 ? '' : `, and ${quarantined} more by other machines`;
