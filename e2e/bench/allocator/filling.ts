import { collectGarbage, heldBytes } from './heap.ts';
import { Desk } from './desk.ts';
import { poolOf, requestsOf } from './demand.ts';
import type { Family } from '../../../net/address.ts';

export type Subject = { readonly network: string; readonly family: Family; readonly held: number };

export type Filling = {
  /** One per round; the first one in a process that has just started. */
  readonly roundMs: readonly number[];
  readonly addresses: number;
  /** Of the ledger, with the names and terms that it keeps. */
  readonly bytesPerAddress: number;
};

/** From an empty pool to one with so many held addresses, one request after the other. */
export function measureFilling({ network, family, held }: Subject, rounds: number): Filling {
  const pools = poolOf(network);
  const roundMs: number[] = [];
  let bytes = 0;
  while (roundMs.length < rounds) {
    const fill = (): Desk => {
      const desk = new Desk(pools);
      const requests = requestsOf(held, family);
      collectGarbage();
      const startMs = performance.now();
      for (const request of requests) desk.serve(request);
      roundMs.push(performance.now() - startMs);
      if (desk.ledger.size !== held) throw new Error(`${desk.ledger.size} of ${held} were served`);
      return desk;
    };
    bytes = heldBytes(fill);
  }
  return { roundMs, addresses: held, bytesPerAddress: bytes / held };
}
