import type { Address } from '../net/address.ts';
import { NumberMap } from './number-map.ts';
import { NumberSet } from './number-set.ts';
import type { Holder } from './terms.ts';

/** One record per held address; all else is derived from these. */
export type Entry = {
  readonly address: Address;
  pool: string;
  /** Where `PoolEntries` has it. */
  turn: number;
  readonly holders: Holder[];
};

export const isAmong = ({ holders }: Entry, service: string): boolean =>
  holders.some((holder) => holder.service === service);

/** Addresses that differ only in their lower 32 bits, by which each goes here: numbers are found sooner than bigints. */
type Block = {
  readonly at: bigint;
  readonly entries: NumberMap<Entry>;
  /** With those that are barred: what every search passes over. */
  readonly held: NumberSet;
  /** Held, resting, shunned or barred: what a search passes over at first. */
  readonly unfit: NumberSet;
};

const blockBits = 32n;

/**
 * Who holds which address of one family, and which of the others a search passes over. What is neither costs nothing, so
 * an IPv6 prefix is as cheap as a /24.
 */
export class Shelf {
  readonly #blocks = new Map<bigint, Block>();
  /** The one asked for last: mostly it is asked for again. */
  #last: Block | undefined;

  /** The record of a held address. */
  entryOf({ value }: Address): Entry | undefined {
    return this.#block(value)?.entries.get(placeOf(value));
  }

  /** Its address is held from now on. Answers whether it was unfit before. */
  enter(entry: Entry): boolean {
    const { value } = entry.address;
    const { entries, held, unfit } = this.#open(value);
    const place = placeOf(value);
    const wasUnfit = unfit.has(place);
    entries.set(place, entry);
    held.add(place);
    unfit.add(place);
    return wasUnfit;
  }

  /** The address is free, and still unfit. */
  leave({ value }: Address): void {
    const block = this.#block(value);
    block?.entries.delete(placeOf(value));
    block?.held.delete(placeOf(value));
  }

  /** No search finds the address, though it has no record. */
  bar({ value }: Address): void {
    const { held, unfit } = this.#open(value);
    held.add(placeOf(value));
    unfit.add(placeOf(value));
  }

  /** A free address is given only where no other is left. */
  markUnfit({ value }: Address): void {
    this.#open(value).unfit.add(placeOf(value));
  }

  /** A free address is as good as any other. */
  markFit({ value }: Address): void {
    const block = this.#block(value);
    if (block === undefined) return;
    block.unfit.delete(placeOf(value));
    if (!block.unfit.empty || !block.held.empty) return;
    this.#blocks.delete(block.at);
    this.#last = undefined;
  }

  /** The lowest number from `first` to `last`, both included, whose address is free; with `fit`, also not unfit. */
  lowestFree(first: bigint, last: bigint, fit: boolean): bigint | undefined {
    // A full block has 2^32 members: there is never a second step where memory has an end.
    for (let value = first; value <= last; value = ((value >> blockBits) + 1n) << blockBits) {
      const block = this.#block(value);
      if (block === undefined) return value;
      const from = placeOf(value);
      const found = (fit ? block.unfit : block.held).lowestMissing(from);
      if (found === undefined) continue;
      const free = value + BigInt(found - (from >>> 0));
      return free <= last ? free : undefined;
    }
    return undefined;
  }

  #block(value: bigint): Block | undefined {
    const at = value >> blockBits;
    if (this.#last?.at === at) return this.#last;
    const block = this.#blocks.get(at);
    if (block !== undefined) this.#last = block;
    return block;
  }

  #open(value: bigint): Block {
    const known = this.#block(value);
    if (known !== undefined) return known;
    const at = value >> blockBits;
    const block = {
      at,
      entries: new NumberMap<Entry>(),
      held: new NumberSet(),
      unfit: new NumberSet(),
    };
    this.#blocks.set(at, block);
    return block;
  }
}

/** Where in its block a number is. Signed: V8 puts a number above 2^31 into an object of its own. */
const placeOf = (value: bigint): number => Number(BigInt.asIntN(32, value));
