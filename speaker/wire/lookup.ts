import { drop, type Instruction, mostJump, type Program, skip, skipAlways } from './bpf.ts';
import { lookUpInBlocks } from './blocks.ts';
import { coarsen, narrowestGaps, type Run } from './runs.ts';

/**
 * Goes on with what follows only when the accumulator is in one of these runs, else drops the frame: a binary search
 * among the runs, or among blocks of 32 numbers, whichever is shorter. Where both take more than `room` instructions,
 * the narrowest gaps between runs pass, too.
 *
 * @param runs at least one, ascending
 */
export function lookUp(runs: readonly Run[], room: number): Program {
  const length = lengthOf(runs);
  const inBlocks = lookUpInBlocks(runs, Math.min(length - 1, room));
  if (inBlocks !== undefined) return inBlocks;
  if (length <= room) return search(runs, 0);
  // Joining never lengthens a program, so the finest that fits is found by halving.
  const gaps = narrowestGaps(runs);
  let [fits, tooMany] = [1, runs.length];
  while (tooMany - fits > 1) {
    const middle = (fits + tooMany) >> 1;
    if (lengthOf(coarsen(runs, gaps, middle)) <= room) fits = middle;
    else tooMany = middle;
  }
  return search(coarsen(runs, gaps, fits), 0);
}

/** The most instructions that a search takes. */
function lengthOf(runs: readonly Run[]): number {
  const tests = testsOf(runs);
  if (tests < mostJump) return tests + 2;
  const middle = runs.length >> 1;
  return 2 + lengthOf(runs.slice(0, middle)) + lengthOf(runs.slice(middle));
}

/** Down to leaves that a one-byte jump can cross. `rest` is how many instructions of the search come after this part. */
function search(runs: readonly Run[], rest: number): Program {
  if (testsOf(runs) < mostJump) return leaf(runs, rest);
  const middle = runs.length >> 1;
  const high = search(runs.slice(middle), rest);
  const low = search(runs.slice(0, middle), rest + high.length);
  const pivot = runs[middle]?.first ?? 0;
  return [skip('jumpAtLeast', pivot, { fails: 1 }), skipAlways(low.length), ...low, ...high];
}

const testOf = (run: Run): number => (run.first === run.last ? 1 : 2);
const testsOf = (runs: readonly Run[]): number =>
  runs.reduce((tests, run) => tests + testOf(run), 0);

/** Tries each run in turn, then drops; what was found leaves the search at its end. */
function leaf(runs: readonly Run[], rest: number): Program {
  const program: Instruction[] = [];
  const dropAt = testsOf(runs);
  for (const run of runs) {
    const here = program.length;
    if (run.first === run.last) {
      program.push(skip('jumpEqual', run.first, { holds: dropAt - here }));
    } else {
      // Runs ascend: what lies below this one is in none of the later ones either.
      program.push(skip('jumpAtLeast', run.first, { fails: dropAt - here - 1 }));
      program.push(skip('jumpGreater', run.last, { fails: dropAt - here - 1 }));
    }
  }
  return [...program, drop, ...(rest === 0 ? [] : [skipAlways(rest)])];
}
