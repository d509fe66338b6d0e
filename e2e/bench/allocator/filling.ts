import type { Family } from '../../../net/address.ts';
import { poolOf, requestsOf } from './demand.ts';
import { Desk } from './desk.ts';
import { collectGarbage, heldBytes } from './heap.ts';
import { startWatch, type Took } from './watch.ts';

export type Subject = {
  readonly network: string;
  readonly family: Family;
  readonly held: number;
};

export type Filling = {
  /** The first one in a process that has compiled nothing of it yet. */
  readonly rounds: readonly Took[];
  readonly addresses: number;
  /** Of the ledger, with the names and terms that it keeps. */
  readonly bytesPerAddress: number;
};

/** From an empty pool to one with so many held addresses, one request after the other. */
export function measureFilling({ network, family, held }: Subject, rounds: number): Filling {
  const pools = poolOf(network);
  const took: Took[] = [];
  let bytes = 0;
  while (took.length < rounds) {
    bytes = heldBytes(() => {
      const desk = new Desk(pools);
      const requests = requestsOf(held, family);
      collectGarbage();
      const watch = startWatch();
      for (const request of requests) desk.serve(request);
      took.push(watch());
      if (desk.ledger.size !== held) throw new Error(`${desk.ledger.size} of ${held} were served`);
      return desk;
    });
  }
  return { rounds: took, addresses: held, bytesPerAddress: bytes / held };
}
