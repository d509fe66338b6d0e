/** The main job, step by step: MercuryLB on the hosts of a small LAN. `make lab` runs it. */
import { relative } from 'node:path';
import { begin, cannotOpen } from './begin.ts';
import { openCluster } from './cluster.ts';
import { labName } from './control.ts';
import { Job } from './job.ts';
import { type Findings, reportPath, writeReport } from './report.ts';
import { stay } from './stay.ts';
import { handOutAddresses } from './steps/addresses.ts';
import { announce } from './steps/announce.ts';
import { clusterUp } from './steps/cluster-up.ts';
import { cutMany, cutOnce, moveInOrder } from './steps/failover.ts';
import { declarePools } from './steps/pools.ts';
import { serve } from './steps/serve.ts';

const say = (text: string): void => void process.stdout.write(text);

const { API: api, CUTS: cuts, KEEP: keep } = await begin();

// The hosts are removed on every way out of this process.
let onInterrupt = (): void => process.exit(130);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => onInterrupt());

await using cluster = await openCluster({ nodes: 3, lab: labName, api }).catch(cannotOpen);
const job = new Job(say, { crashes: cluster.crashes, logs: () => cluster.logs(12) });
const findings: Findings = { addresses: {}, powerCuts: { samplesMs: [] } };
const web = (): string => findings.addresses['web'] ?? '';

await job.step('A Kubernetes API server starts, and three nodes register', (report) =>
  clusterUp(cluster, report),
);
await job.step('Pools are declared', (report) => declarePools(cluster, report));
await job.step('The operator gives addresses to Services', async (report) => {
  findings.addresses = await handOutAddresses(cluster, report);
});
await job.step('The speakers answer for them', (report) =>
  announce(cluster, Object.values(findings.addresses), report),
);
await job.step('A client on the LAN is served', (report) =>
  serve(cluster, Object.values(findings.addresses), report),
);
await job.step('The node that answers loses power', (report) => cutOnce(cluster, web(), report));
await job.step(`Power cuts in a row: ${cuts}`, async (report) => {
  findings.powerCuts = await cutMany(cluster, { address: web(), cuts }, report);
});
await job.step('The speaker that answers is stopped in order', async (report) => {
  findings.plannedMove = await moveInOrder(cluster, web(), report);
});

await writeReport(job.steps, findings);
say(
  `\n${job.table()}\n${job.held ? 'Every step held' : 'NOT every step held'}; figures in ${relative('', reportPath)}\n`,
);
process.exitCode = job.held ? 0 : 1;

if (keep) {
  const interrupted = new AbortController();
  onInterrupt = () => interrupted.abort();
  await stay(cluster, api, { out: process.stdout, signal: interrupted.signal });
}
