import type { Address } from '../net/address.ts';
import { AddressSet } from './address-set.ts';
import type { Holder } from './terms.ts';

/** One record per held address; all else is derived from these. */
export type Entry = {
  readonly address: Address;
  pool: string;
  readonly holders: Holder[];
};

export type Shelf = {
  readonly entries: Map<bigint, Entry>;
  readonly held: AddressSet;
  /** Held, resting or barred: what a search passes over at first. */
  readonly unfit: AddressSet;
};

export const isAmong = ({ holders }: Entry, service: string): boolean =>
  holders.some((holder) => holder.service === service);

export const emptyShelf = (): Shelf => ({
  entries: new Map(),
  held: new AddressSet(),
  unfit: new AddressSet(),
});
