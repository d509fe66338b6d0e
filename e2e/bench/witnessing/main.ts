/** `make bench-witnessing`: what it costs that speakers ask on the wire for each other's addresses. */
import { once } from 'node:events';
import { systemClock } from '../../../daemon/clock.ts';
import { integerBetween } from '../../../daemon/settings.ts';
import { settingsTable } from '../../../speaker/settings.ts';
import type { Host } from '../../lab/host.ts';
import { openHosts } from '../../lab/hosts.ts';
import { fromRoot } from '../../lab/programs.ts';
import { begin, leaveOnInterrupt } from '../begin.ts';
import { costOf } from '../cost.ts';
import { describeHost } from '../machine.ts';

const { ADDRESSES: addresses, EACH_SECONDS: seconds } = begin('make bench-witnessing', {
  ADDRESSES: {
    fallback: 1_000,
    parse: integerBetween(1, 10_000),
    help: 'how many addresses three nodes share',
  },
  EACH_SECONDS: {
    fallback: 180,
    parse: integerBetween(10, 3_600),
    help: 'for how long each variant is measured',
  },
});
leaveOnInterrupt();

/** By each node, in a second: parts of a core; on the wire, by all of them: questions. */
type Found = { readonly cpu: number; readonly questions: number };

const hosts = await openHosts({ nodes: 3 });
const names = hosts.nodes.map(({ name }) => name).join(',');
process.stderr.write(
  `three speakers hold ${addresses} addresses: for ${seconds} s without questions, then for ${seconds} s with them; ` +
    `about ${2 * seconds + 10} s in all\n`,
);
process.stderr.write('without questions …\n');
const off = await measure(0);
process.stderr.write('with questions …\n');
const on = await measure(settingsTable.witnessSeconds.fallback);
await hosts[Symbol.asyncDispose]();

const percent = (part: number): string => `${(100 * part).toFixed(2)} %`;
process.stdout.write(
  `${describeHost()}; ` +
    `${addresses} addresses on 3 nodes, ${seconds} s each\n\n` +
    '| witness | CPU of a node | questions a second on the wire |\n| --- | --: | --: |\n' +
    `| off | ${percent(off.cpu)} | ${off.questions.toFixed(1)} |\n` +
    `| every ${settingsTable.witnessSeconds.fallback} s | ${percent(on.cpu)} | ${on.questions.toFixed(1)} |\n`,
);

async function measure(witnessSeconds: number): Promise<Found> {
  const running = await Promise.all(hosts.nodes.map((host) => hold(host, witnessSeconds)));
  const cpuSeconds = (): number =>
    running.reduce((sum, { pid }) => sum + costOf(pid).cpuSeconds, 0) / running.length;
  const tap = hosts.client.spawn({
    name: 'tap',
    file: 'tcpdump',
    args: ['-i', 'eth0', '-l', '-n', 'arp and arp[6:2] = 1 and arp[14:4] != arp[24:4]'],
  });
  let lines = 0;
  tap.output.on('data', (chunk) => void (lines += String(chunk).split('\n').length - 1));
  const before = cpuSeconds();
  await systemClock.sleep(seconds * 1_000);
  const cpu = (cpuSeconds() - before) / seconds;
  await tap.stop();
  await Promise.all(running.map((one) => one.stop()));
  return { cpu, questions: lines / seconds };
}

async function hold(host: Host, witnessSeconds: number) {
  const program = fromRoot('e2e/bench/programs/hold.ts');
  const words = ['packet', addresses, host.name, names, witnessSeconds].map(String);
  const running = host.spawn({
    name: 'hold',
    file: process.execPath,
    args: [program, ...words],
  });
  await once(running.output, 'data');
  return running;
}
