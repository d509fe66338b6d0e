// Seven levels of 32-bit words cover all 32-bit numbers.
const levelCount = 7;
const lastNumber = 0xffffffff;
const full = -1;

/**
 * A set of 32-bit numbers, read as unsigned, that finds its lowest missing one without visiting those that it has: a tree
 * of 32-bit words, where a set bit says that the whole word below it is set. Absent words are empty. No operation looks
 * at more than two words per level.
 */
export class NumberSet {
  readonly #levels = Array.from({ length: levelCount }, () => new Map<number, number>());

  get empty(): boolean {
    return this.#levels[0]?.size === 0;
  }

  has(value: number): boolean {
    return (this.#wordAt(0, value >>> 5) & bitOf(value)) !== 0;
  }

  add(value: number): void {
    let index = value;
    for (const level of this.#levels) {
      const at = index >>> 5;
      const word = (level.get(at) ?? 0) | bitOf(index);
      level.set(at, word);
      if (word !== full) return;
      index = at;
    }
  }

  delete(value: number): void {
    let index = value;
    for (const level of this.#levels) {
      const at = index >>> 5;
      const before = level.get(at) ?? 0;
      const word = before & ~bitOf(index);
      if (word === 0) level.delete(at);
      else level.set(at, word);
      if (before !== full) return;
      index = at;
    }
  }

  /** The lowest number from `first` on that is not in the set, unsigned. */
  lowestMissing(first: number): number | undefined {
    let index = first;
    for (let level = 0; level < levelCount; level++) {
      const clear = ~this.#wordAt(level, index >>> 5) & (-1 << (index & 31));
      if (clear !== 0) return this.#descend(level, (index & ~31) + lowestBit(clear));
      if (index >>> 5 === lastNumber >>> (5 * (level + 1))) return undefined;
      index = (index >>> 5) + 1;
    }
    return undefined;
  }

  /** The lowest number below the bit `index` of `level`, which is known to be clear. */
  #descend(level: number, index: number): number {
    let found = index;
    for (let below = level - 1; below >= 0; below--) {
      found = (found << 5) + lowestBit(~this.#wordAt(below, found >>> 0));
    }
    return found >>> 0;
  }

  #wordAt(level: number, at: number): number {
    return this.#levels[level]?.get(at) ?? 0;
  }
}

const bitOf = (index: number): number => 1 << (index & 31);

const lowestBit = (word: number): number => 31 - Math.clz32(word & -word);
