// A block is what 32-bit arithmetic can index; seven levels of 32-bit words cover it.
const blockBits = 32n;
const lastInBlock = 0xffffffff;
const levelCount = 7;
const full = -1;

/**
 * A set of addresses of one family that finds its lowest missing member without visiting the
 * present ones. What is not in the set costs nothing, so an IPv6 prefix is as cheap as a /24.
 */
export class AddressSet {
  readonly #blocks = new Map<bigint, Block>();
  /** The one asked for last: mostly it is asked for again. */
  #last: { readonly at: bigint; readonly block: Block } | undefined;

  has(value: bigint): boolean {
    return this.#block(value >> blockBits)?.has(inBlock(value)) ?? false;
  }

  add(value: bigint): void {
    const at = value >> blockBits;
    let block = this.#block(at);
    if (block === undefined) this.#blocks.set(at, (block = new Block()));
    block.add(inBlock(value));
  }

  delete(value: bigint): void {
    const at = value >> blockBits;
    const block = this.#block(at);
    block?.delete(inBlock(value));
    if (block?.empty !== true) return;
    this.#blocks.delete(at);
    this.#last = undefined;
  }

  /** The lowest number from `first` to `last`, both included, that is not in the set. */
  lowestMissing(first: bigint, last: bigint): bigint | undefined {
    // A full block has 2^32 members: there is never a second step where memory has an end.
    for (let value = first; value <= last; value = ((value >> blockBits) + 1n) << blockBits) {
      const block = this.#block(value >> blockBits);
      if (block === undefined) return value;
      const from = inBlock(value);
      const found = block.lowestMissing(from);
      if (found === undefined) continue;
      const missing = value + BigInt(found - from);
      return missing <= last ? missing : undefined;
    }
    return undefined;
  }

  #block(at: bigint): Block | undefined {
    if (this.#last?.at === at) return this.#last.block;
    const block = this.#blocks.get(at);
    if (block !== undefined) this.#last = { at, block };
    return block;
  }
}

/** Where in its block a number is. */
const inBlock = (value: bigint): number => Number(BigInt.asUintN(32, value));

/**
 * A set of 32-bit numbers as a tree of 32-bit words, where a set bit says that the whole word
 * below it is set. Absent words are empty. No operation looks at more than two words per level.
 */
class Block {
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

  /** The lowest number from `first` on that is not in the set. */
  lowestMissing(first: number): number | undefined {
    let index = first;
    for (let level = 0; level < levelCount; level++) {
      const clear = ~this.#wordAt(level, index >>> 5) & (-1 << (index & 31));
      if (clear !== 0) return this.#descend(level, (index & ~31) + lowestBit(clear));
      if (index >>> 5 === lastInBlock >>> (5 * (level + 1))) return undefined;
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
