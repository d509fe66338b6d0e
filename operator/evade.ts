import type { Pool, Sighting } from '../crds/pool.ts';
import type { Address } from '../net/address.ts';
import { evasionMinutes, mostEvasions } from './evasions.ts';
import { contestOf, quarantineOf, reservedBy } from './pool-addresses.ts';
import { type Refusal, refusal } from './reasons.ts';
import type { Request } from './request.ts';
import { rosterOf } from './roster.ts';
import { describeSiege, describeSighting } from './strangers.ts';

/** A Service has an address that another machine uses and no node answers for. */
export type Quarantine = {
  readonly kind: 'quarantine';
  readonly refusal: Refusal;
  /** It does not go out of the way. */
  readonly stays: boolean;
  /** When it may. */
  readonly againAfterMs?: number;
};

export type Neighbourhood = {
  readonly pools: readonly Pool[];
  /** How long a Service stays before it may go out of the way of another machine once more; 0: it may go now. */
  readonly stayMs: (service: string) => number;
};

/** What one speaker says moves only who leaves the choice to us, and such a Service only so often. */
export function findQuarantine(
  request: Request,
  held: readonly Address[],
  { pools, stayMs }: Neighbourhood,
): Quarantine | undefined {
  const all = findForeign(held, pools, quarantineOf);
  const own = all.find(({ address, pool }) => reservedBy(pool, address) === request.service);
  const found = own ?? all[0];
  if (found === undefined) return undefined;
  const { pool, sighting } = found;
  const detail = describeSighting(sighting, pool);
  const stay = (why: string): Quarantine => ({
    kind: 'quarantine',
    refusal: refusal('AddressQuarantined', why),
    stays: true,
  });
  if (request.wanted.length > 0) return stay(detail);
  if (own !== undefined) return stay(`${detail}, and reserved for this Service`);
  const siege = pool.foreign?.siege;
  if (siege?.isMost === true)
    return stay(`${detail}, and no Service moves: ${describeSiege(siege)}`);
  const againAfterMs = stayMs(request.service);
  if (againAfterMs > 0) {
    const often = `it has moved ${mostEvasions} times in ${evasionMinutes} minutes`;
    return { ...stay(`${detail}, and ${often}, each time to such an address`), againAfterMs };
  }
  return { ...stay(detail), stays: false };
}

/** What a Service is told with whom another machine shares an address that it goes on using. */
export function findContest(held: readonly Address[], pools: readonly Pool[]): Refusal | undefined {
  const [found] = findForeign(held, pools, contestOf);
  return found && refusal('AddressContested', describeSighting(found.sighting, found.pool));
}

/** The other machine that a refusal leaves unsaid because it is about something else. */
export function findBeside(
  { reason }: Refusal,
  held: readonly Address[],
  pools: readonly Pool[],
): Refusal | undefined {
  if (reason === 'AddressContested' || reason === 'AddressQuarantined') return undefined;
  const [found] = findForeign(held, pools, quarantineOf);
  const quarantine =
    found && refusal('AddressQuarantined', describeSighting(found.sighting, found.pool));
  return findContest(held, pools) ?? quarantine;
}

type Found = { readonly address: Address; readonly pool: Pool; readonly sighting: Sighting };

function findForeign(
  held: readonly Address[],
  pools: readonly Pool[],
  lookUp: typeof quarantineOf,
): readonly Found[] {
  return rosterOf(pools).visited.flatMap((pool) =>
    held.flatMap((address) => {
      const sighting = lookUp(pool, address);
      return sighting === undefined ? [] : [{ address, pool, sighting }];
    }),
  );
}
