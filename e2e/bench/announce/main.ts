/** `make bench-announce`: how long nobody answers, and how fast somebody does, beside keepalived and Linux itself. */
import { readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { relative } from 'node:path';
import { integerBetween } from '../../../daemon/settings.ts';
import { SecondLink } from '../../announcing/second-link.ts';
import { responders } from '../../lab/cluster.ts';
import { fromRoot } from '../../lab/programs.ts';
import { missing } from '../../lab/requirements.ts';
import { openServing } from '../../lab/serving.ts';
import { begin, leaveOnInterrupt } from '../begin.ts';
import { describeHost } from '../machine.ts';
import { type Answers, measureAnswers } from './answers.ts';
import { measureBlackouts } from './blackouts.ts';
import { replaceFindings } from './document.ts';
import { type Keepalived, measureKeepalived } from './keepalived.ts';
import { type Memory, measureMemory } from './memory.ts';
import { type Findings, formatFindings } from './report.ts';
import { Requester } from './requester.ts';
import { isMeasured, type Unmeasured } from './unmeasured.ts';

const reportPath = fromRoot('e2e/bench/announce/report.json');
const documentPath = fromRoot('docs/performance.md');

const { CUTS: cuts } = begin('make bench-announce', {
  CUTS: {
    fallback: 30,
    parse: integerBetween(1, 1_000),
    help: 'how many power cuts are made; a third as many of everything else',
  },
});
const lacking = await missing();
if (lacking.length > 0) {
  process.stderr.write(`The lab cannot run on this machine:\n  ${lacking.join('\n  ')}\n`);
  process.exit(2);
}
leaveOnInterrupt();

const load: number[] = [];
async function measure<T>(what: string, work: () => Promise<T>): Promise<T> {
  process.stderr.write(`${what} …\n`);
  load.push(loadavg()[0] ?? 0);
  const found = await work();
  load.push(loadavg()[0] ?? 0);
  return found;
}

const onTheWire = async (): Promise<Pick<Findings, 'blackouts' | 'keepalived'>> => {
  const { address, ...serving } = await openServing('embedded', 'packet');
  await using cluster = serving.cluster;
  const requester = await Requester.compile(cluster.hosts.client, cluster.hosts.folder);
  const blackouts = await measure('what happens to the holder', () =>
    measureBlackouts(cluster, requester, { address, cuts }),
  );
  const keepalived: (Keepalived | Unmeasured)[] = [];
  for (const [advertSeconds, times] of [[0.1, cuts] as const, [1, Math.ceil(cuts / 3)] as const]) {
    const what = `keepalived, adverts every ${advertSeconds} s`;
    const found = await measure(what, () =>
      measureKeepalived(cluster, { advertSeconds, cuts: times }),
    );
    keepalived.push(found);
    if (!isMeasured(found)) break;
  }
  const crashes = cluster.crashes();
  if (crashes.length > 0) throw new Error(`a program ended by itself: ${crashes.join('; ')}`);
  return { blackouts, keepalived };
};
const secondCarrierLoss = await measure('a second link', async () => {
  await using second = await SecondLink.open('embedded', 'packet');
  return await second.loseCarrier(Math.ceil(cuts / 3));
});
const wire = await onTheWire();
const answers: (Answers | Unmeasured)[] = [];
for (const responder of responders) {
  const found = await measure(`answers, ${responder}`, () => measureAnswers(responder));
  if (!isMeasured(found)) {
    answers.push(found);
    break;
  }
  answers.push(...found);
}
const memory: Memory[] = [];
for (const services of [10, 10_000])
  memory.push(await measure(`memory with ${services} Services`, () => measureMemory(services)));

const findings: Findings = {
  machine: describeHost(),
  load: { least: Math.min(...load), most: Math.max(...load) },
  ...wire,
  secondCarrierLoss,
  answers,
  memory,
};
const table = formatFindings(findings);
writeFileSync(reportPath, `${JSON.stringify(findings, undefined, 2)}\n`);
writeFileSync(documentPath, replaceFindings(readFileSync(documentPath, 'utf8'), table));
process.stdout.write(
  `${table}\n\nIn ${relative('', documentPath)}; all figures: ${relative('', reportPath)}\n`,
);
