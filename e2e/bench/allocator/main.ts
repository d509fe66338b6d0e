/** `make bench-allocate`: how fast the allocator is by itself, and how large what it knows is. */
import { integerBetween, readSettings } from '../../../daemon/settings.ts';
import { describeHost } from '../machine.ts';
import { bench } from './bench.ts';
import { formatFindings } from './report.ts';

const settings = readSettings('e2e/bench/allocator', {
  rounds: {
    fallback: 21,
    parse: integerBetween(1, 1_000),
    help: 'how often a pool is filled',
  },
  steps: {
    fallback: 1_000_000,
    parse: integerBetween(1_000, 100_000_000),
    help: 'how often a Service goes and another one comes',
  },
});
if (settings.kind !== 'settings') {
  process.stderr.write(settings.text);
  process.exit(settings.kind === 'help' ? 0 : 2);
}
const { rounds, steps } = settings.values;
const full = { addresses: 65_536, pools: 1_000, namespaces: 10_000 };
process.stdout.write(`${describeHost()}\n\n${formatFindings(bench({ ...full, rounds, steps }))}\n`);
