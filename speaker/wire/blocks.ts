import { compute, drop, type Instruction, type Program, skip, skipAlways } from './bpf.ts';
import type { Run } from './runs.ts';

/** The 32 numbers from `32 * index` on, one bit for each that is meant. */
type Block = { readonly index: number; readonly bits: number };

/** So many tests of blocks that a one-byte jump crosses them and what they lead to. */
const mostInLeaf = 120;

/**
 * Goes on with what follows only when the accumulator is in one of these runs, else drops the frame. It searches for
 * the block of 32 numbers, and tests the one bit in it: three instructions for each block, however many of its numbers
 * are meant. Undefined where that takes more than `room` instructions.
 *
 * @param runs at least one, ascending
 */
export function lookUpInBlocks(runs: readonly Run[], room: number): Program | undefined {
  const spans = runs.map(({ first, last }) => blockOf(last) - blockOf(first) + 1);
  // Two runs can share a block, but no block is wanted in vain.
  if (3 * (spans.reduce((sum, span) => sum + span, 0) - runs.length) > room) return undefined;
  const program = [...prepare, ...search(blocksOf(runs), 0)];
  return program.length <= room ? program : undefined;
}

/** Into the index register: the bit of the number in its block. Into the accumulator: which block. */
const prepare: Program = [
  compute('storeMemory', 0),
  compute('and', 31),
  compute('toIndex'),
  compute('loadConstant', 1),
  compute('shiftLeftByIndex'),
  compute('toIndex'),
  compute('loadMemory', 0),
  compute('shiftRight', 5),
];

const blockOf = (number: number): number => number >>> 5;

function blocksOf(runs: readonly Run[]): readonly Block[] {
  const blocks = new Map<number, number>();
  for (const { first, last } of runs) {
    for (let index = blockOf(first); index <= blockOf(last); index++) {
      const from = Math.max(first - index * 32, 0);
      const to = Math.min(last - index * 32, 31);
      // From bit `from` to bit `to`; JavaScript shifts by 31 at most.
      const bits = ((0xffff_ffff >>> (31 - to)) & (0xffff_ffff << from)) >>> 0;
      blocks.set(index, ((blocks.get(index) ?? 0) | bits) >>> 0);
    }
  }
  return Array.from(blocks, ([index, bits]) => ({ index, bits }));
}

/** Binary search down to leaves. `rest` is how many instructions of the search come after this part. */
function search(blocks: readonly Block[], rest: number): Program {
  if (blocks.length <= mostInLeaf) return leaf(blocks, rest);
  const middle = blocks.length >> 1;
  const high = search(blocks.slice(middle), rest);
  const low = search(blocks.slice(0, middle), rest + high.length);
  const pivot = blocks[middle]?.index ?? 0;
  return [skip('jumpAtLeast', pivot, { fails: 1 }), skipAlways(low.length), ...low, ...high];
}

/** Finds the block, then tests the bit; what was found leaves the search at its end. */
function leaf(blocks: readonly Block[], rest: number): Program {
  const program: Instruction[] = [];
  for (const [at, { index }] of blocks.entries()) {
    // Over the tests that are left and the drop, and over the two instructions of each block before this one.
    program.push(skip('jumpEqual', index, { holds: blocks.length + at }));
  }
  program.push(drop);
  for (const [at, { bits }] of blocks.entries()) {
    const left = 2 * (blocks.length - at - 1);
    program.push(compute('fromIndex'));
    program.push(skip('jumpIfAnyBit', bits, { holds: left + 1, fails: left }));
  }
  return [...program, drop, ...(rest === 0 ? [] : [skipAlways(rest)])];
}
