import { integerBetween } from '../../daemon/settings.ts';
import { Controller } from '../../operator/controller.ts';
import { begin } from '../bench/begin.ts';
import { search } from './play.ts';

/** Plays as many random schedules as asked for; a fault is printed with its schedule, and the exit code is 1. */
const { RUNS: runs, SEED: seed } = begin('make soak-allocate', {
  RUNS: { fallback: 2_000, parse: integerBetween(1, 1e9), help: 'how many schedules are played' },
  SEED: {
    fallback: Date.now() % 2 ** 31,
    parse: integerBetween(-(2 ** 31), 2 ** 31 - 1),
    help: 'what the first of them is made from',
  },
});
const startMs = performance.now();
const fault = await search(Controller, { runs, seed });
const seconds = Math.round((performance.now() - startMs) / 1_000);
if (fault === undefined)
  process.stdout.write(`${runs} schedules of seed ${seed} without a fault in ${seconds} s\n`);
else process.stdout.write(`${fault}\n`);
process.exitCode = fault === undefined ? 0 : 1;
