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
  /** By `keyOf` the address. */
  readonly entries: Map<number | bigint, Entry>;
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

/** An address in a map of one family: numbers are found sooner than bigints. */
export const keyOf = ({ value }: Address): number | bigint =>
  value <= 0xffffffffn ? Number(value) : value;
