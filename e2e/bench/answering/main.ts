/** `make bench-answering`: how fast a question for a held address is answered, by the kernel itself and by us. */
import { once } from 'node:events';
import { integerBetween } from '../../../daemon/settings.ts';
import type { Host } from '../../lab/host.ts';
import { type Hosts, openHosts } from '../../lab/hosts.ts';
import { percentile } from '../../lab/percentiles.ts';
import { fromRoot } from '../../lab/programs.ts';
import { begin, leaveOnInterrupt } from '../begin.ts';
import { costOf } from '../cost.ts';
import { describeHost } from '../machine.ts';
import { heldAddress } from './addresses.ts';
import type { Asked } from './asked.ts';

const { ROUNDS: rounds } = begin('make bench-answering', {
  ROUNDS: {
    fallback: 3,
    parse: integerBetween(1, 100),
    help: 'how often each variant has its turn',
  },
});
leaveOnInterrupt();

/** Who answers, and for how many addresses. */
type Variant = { readonly by: 'Linux' | 'kernel' | 'packet'; readonly addresses: number };
type Round = {
  readonly latency: Asked;
  readonly paced: Asked;
  /** Of the speaker, as part of one core: under the questions above, and under as many for others' addresses. */
  readonly pacedCpu: number;
  readonly foreignCpu: number;
};

const questionsInTurn = 5_000;
const perSecond = 50_000;
const foreignPerSecond = 20_000;
const paceSeconds = 2;

const variants: readonly Variant[] = [
  { by: 'Linux', addresses: 1 },
  { by: 'kernel', addresses: 1 },
  { by: 'kernel', addresses: 10_000 },
  { by: 'packet', addresses: 1 },
  { by: 'packet', addresses: 10_000 },
];
const names = {
  Linux: 'Linux itself, the address on its link',
  kernel: 'speaker, in the kernel',
  packet: 'speaker, packet socket',
} as const;

const hosts = await openHosts({ nodes: 1 });
const [node] = hosts.nodes;
if (node === undefined) throw new Error('the bench has no node');
const found = new Map<Variant, Round[]>(variants.map((variant) => [variant, []]));
for (let round = 1; round <= rounds; round++) {
  for (const variant of variants) {
    process.stderr.write(`round ${round}: ${names[variant.by]}, ${variant.addresses}\n`);
    found.get(variant)?.push(await measure(hosts, node, variant));
  }
}
await hosts[Symbol.asyncDispose]();

process.stdout.write(
  `${describeHost()}; medians of ${rounds} rounds\n\n` +
    `| answered by | addresses | p50 | p99 | lost | lost at ${perSecond}/s | CPU | CPU under ${foreignPerSecond}/s for others |\n` +
    `| --- | --: | --: | --: | --: | --: | --: | --: |\n`,
);
for (const [{ by, addresses }, all] of found) {
  const median = (of: (round: Round) => number): number => percentile(all.map(of), 50);
  const cells = [
    names[by],
    addresses.toLocaleString('en'),
    `${median(({ latency }) => latency.latencyUs?.p50 ?? Number.NaN).toFixed(1)} µs`,
    `${median(({ latency }) => latency.latencyUs?.p99 ?? Number.NaN).toFixed(0)} µs`,
    all.map(({ latency }) => latency.questions - latency.answers).join(', '),
    all.map(({ paced }) => paced.questions - paced.answers).join(', '),
    ...(by === 'Linux'
      ? ['', '']
      : [median(({ pacedCpu }) => pacedCpu), median(({ foreignCpu }) => foreignCpu)].map(
          (part) => `${(100 * part).toFixed(1)} %`,
        )),
  ];
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
}

async function measure({ client }: Hosts, host: Host, { by, addresses }: Variant): Promise<Round> {
  await using holder = by === 'Linux' ? await configure(host) : await hold(host, by, addresses);
  const ask = async (...words: readonly string[]): Promise<Asked> => {
    const program = fromRoot('e2e/bench/programs/question.ts');
    const [whose = '', ...how] = words;
    const args = [program, whose, String(addresses), ...how];
    return JSON.parse(await client.run(process.execPath, args, { timeoutMs: 60_000 })) as Asked;
  };
  const atPace = async (whose: string, rate: number) => {
    const before = holder.cpuSeconds();
    const asked = await ask(whose, 'rate', String(rate), String(paceSeconds));
    return { asked, cpu: (holder.cpuSeconds() - before) / paceSeconds };
  };
  const latency = await ask('held', 'latency', String(questionsInTurn));
  const paced = await atPace('held', perSecond);
  const foreign = await atPace('foreign', foreignPerSecond);
  if (foreign.asked.answers > 0) throw new Error(`${names[by]} answered for others`);
  return { latency, paced: paced.asked, pacedCpu: paced.cpu, foreignCpu: foreign.cpu };
}

type Holder = AsyncDisposable & { readonly cpuSeconds: () => number };

async function configure(host: Host): Promise<Holder> {
  const change = (verb: string) =>
    host.run('ip', ['address', verb, `${heldAddress(0)}/32`, 'dev', 'eth0']);
  await change('add');
  return {
    cpuSeconds: () => 0,
    [Symbol.asyncDispose]: async () => void (await change('delete')),
  };
}

async function hold(host: Host, by: string, addresses: number): Promise<Holder> {
  const args = [fromRoot('e2e/bench/programs/hold.ts'), by, String(addresses)];
  const running = host.spawn({ name: 'hold', file: process.execPath, args });
  await once(running.output, 'data');
  return {
    cpuSeconds: () => costOf(running.pid).cpuSeconds,
    [Symbol.asyncDispose]: async () => void (await running.stop()),
  };
}
