/** `make bench-allocate`: how fast the allocator is by itself, and how large what it knows is. */
import { integerBetween } from '../../../daemon/settings.ts';
import { begin } from '../begin.ts';
import { describeHost } from '../machine.ts';
import { bench } from './bench.ts';
import { formatFindings } from './report.ts';

const { ROUNDS: rounds, STEPS: steps } = begin('make bench-allocate', {
  ROUNDS: {
    fallback: 21,
    parse: integerBetween(1, 1_000),
    help: 'how often a pool is filled',
  },
  STEPS: {
    fallback: 1_000_000,
    parse: integerBetween(1_000, 100_000_000),
    help: 'how often a Service goes and another one comes',
  },
});
const full = { addresses: 65_536, pools: 1_000, namespaces: 10_000 };
process.stdout.write(`${describeHost()}\n\n${formatFindings(bench({ ...full, rounds, steps }))}\n`);
