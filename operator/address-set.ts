const wordBits = 5n;
const offsetMask = 31n;
const full = -1;

/**
 * A set of numbers below 2^bits that finds its lowest missing member without visiting the
 * present ones: a tree of 32-bit words, where a bit on one level says that the word below it is
 * full. Absent words are empty, so an IPv6 prefix costs only what is held in it. Every operation
 * looks at no more than two words per level: 7 levels for IPv4, 26 for IPv6.
 */
export class AddressSet {
  readonly #levels: readonly Map<bigint, number>[];

  constructor(bits: number) {
    const levels = Math.ceil(bits / Number(wordBits));
    this.#levels = Array.from({ length: levels }, () => new Map<bigint, number>());
  }

  has(value: bigint): boolean {
    return (this.#wordAt(0, value >> wordBits) & bitOf(value)) !== 0;
  }

  add(value: bigint): void {
    let index = value;
    for (const level of this.#levels) {
      const at = index >> wordBits;
      const word = (level.get(at) ?? 0) | bitOf(index);
      level.set(at, word);
      if (word !== full) return;
      index = at;
    }
  }

  delete(value: bigint): void {
    let index = value;
    for (const level of this.#levels) {
      const at = index >> wordBits;
      const before = level.get(at) ?? 0;
      const word = before & ~bitOf(index);
      if (word === 0) level.delete(at);
      else level.set(at, word);
      if (before !== full) return;
      index = at;
    }
  }

  /** The lowest number from `first` to `last`, both included, that is not in the set. */
  lowestMissing(first: bigint, last: bigint): bigint | undefined {
    let index = first;
    for (let level = 0; level < this.#levels.length; level++) {
      const offset = Number(index & offsetMask);
      const missing = ~this.#wordAt(level, index >> wordBits) & (-1 << offset);
      if (missing !== 0) {
        const found = this.#descend(level, (index & ~offsetMask) + lowestBit(missing));
        return found <= last ? found : undefined;
      }
      index = (index >> wordBits) + 1n;
    }
    return undefined;
  }

  /** The lowest number below the bit `index` of `level`, which is known to be clear. */
  #descend(level: number, index: bigint): bigint {
    let found = index;
    for (let below = level - 1; below >= 0; below--) {
      found = (found << wordBits) + lowestBit(~this.#wordAt(below, found));
    }
    return found;
  }

  #wordAt(level: number, at: bigint): number {
    return this.#levels[level]?.get(at) ?? 0;
  }
}

const bitOf = (index: bigint): number => 1 << Number(index & offsetMask);

const lowestBit = (word: number): bigint => BigInt(31 - Math.clz32(word & -word));
