import { parseArgs } from 'node:util';
import { Controller } from '../../operator/controller.ts';
import { search } from './play.ts';

/** Plays as many random schedules as asked for; a fault is printed with its schedule, and the exit code is 1. */
const { values } = parseArgs({
  options: { runs: { type: 'string', default: '2000' }, seed: { type: 'string', default: '' } },
});
const seed = values.seed === '' ? Date.now() % 2 ** 31 : Number(values.seed);
const runs = Number(values.runs);
const startMs = performance.now();
const fault = await search(Controller, { runs, seed });
const seconds = Math.round((performance.now() - startMs) / 1_000);
if (fault === undefined)
  process.stdout.write(`${runs} schedules of seed ${seed} without a fault in ${seconds} s\n`);
else process.stdout.write(`${fault}\n`);
process.exitCode = fault === undefined ? 0 : 1;
