import type { NodeNetworkStatus } from '../crds/node-network.ts';
import { systemClock } from '../daemon/clock.ts';
import { openProbes } from '../daemon/probes.ts';
import { runProgram } from '../daemon/program.ts';
import type { Happening } from '../kube/event-fold.ts';
import { EventRecorder } from '../kube/events.ts';
import { KeyedQueue } from '../kube/queue.ts';
import { openTransport } from '../kube/transport.ts';
import { announcing, chronicle, witnessed } from './chronicle.ts';
import { ForeignStations } from './foreign-stations.ts';
import { Holdings } from './holdings.ts';
import { watchKeys } from './key-watch.ts';
import { L2Report } from './l2-report.ts';
import { SpeakerMetrics } from './metrics.ts';
import { reportNetworks } from './network-report.ts';
import { Observer } from './observer.ts';
import type { Fact } from './orders.ts';
import type { Plan } from './plan.ts';
import { Planner } from './planner.ts';
import type { PulseKeys } from './pulse-keys.ts';
import type { Speaker } from './roster.ts';
import { accessOf, settingsTable, wireStart } from './settings.ts';
import { WirePort } from './wire-port.ts';

/** A planned move takes milliseconds; a pod's termination grace is longer than this. */
const leaveAtMostMs = 3000;
/** Between two writes about this node: a station that takes many addresses is told in few. */
const networksRestMs = 1000;

await runProgram('speaker', settingsTable, async (settings, { log, signal }) => {
  const { nodeName: node, namespace, metricsPort, host } = settings;
  const clock = systemClock;
  const random = Math.random;
  const transport = openTransport(accessOf(settings, process.env));
  const events = new EventRecorder({
    transport,
    component: 'metallb-speaker',
    instance: node,
    clock,
    log,
  });
  const holdings = new Holdings();
  const metrics = new SpeakerMetrics(node, holdings);
  const report = new L2Report({ transport, namespace, node });
  const reports = new KeyedQueue({ work: writeReport, concurrency: 4, clock, random, log });
  const networkReports = new KeyedQueue({
    work: writeNetworks,
    concurrency: 1,
    clock,
    random,
    log,
  });
  let networks: NodeNetworkStatus = {};
  const stations = new ForeignStations();
  const wire = new WirePort(wireStart(settings, log), onFact);
  const observer = new Observer({
    transport,
    namespace,
    onChange: () => planner.change(),
    log,
    clock,
    random,
  });
  const planner = new Planner({
    observer,
    settings: {
      node,
      loadBalancerClass: settings.lbClass,
      ignoreExcludeLabel: settings.ignoreExcludeLb,
    },
    stateDir: settings.stateDir,
    onPlan,
    namespace,
    clock,
    log,
  });
  const ready = {
    plan: () => (planner.hasPlan ? undefined : 'no plan yet: the API server has not been heard'),
  };
  await using _probes = await openProbes({
    port: metricsPort,
    flag: '--metrics-port',
    host,
    ready,
    metrics: metrics.metrics,
  });
  try {
    await Promise.race([
      Promise.all([
        observer.run(signal),
        planner.run(signal),
        reports.run(signal),
        settings.pulseKeyFile === undefined ? undefined : watch(settings.pulseKeyFile),
        networkReports.run(signal),
      ]),
      wire.failed,
    ]);
  } finally {
    await wire.leave(clock, leaveAtMostMs);
    await wire.close();
    transport.close();
  }

  function onFact(fact: Fact): void {
    chronicle(log, fact);
    metrics.note(fact);
    for (const service of holdings.note(fact, clock.wall())) reports.add(service);
    if (fact.kind === 'held') tell(fact.address, announcing(node, fact));
    if (fact.kind === 'witnessed') tell(fact.address, witnessed(node, fact));
    if (fact.kind === 'networks') networks = fact.networks;
    if (stations.note(fact, clock.wall()) || fact.kind === 'networks') networkReports.add(node);
  }

  function watch(path: string): Promise<void> {
    const onKeys = (keys: PulseKeys) => wire.give({ kind: 'keys', keys });
    return watchKeys({ path, onKeys, clock, log }, signal);
  }

  function onPlan(plan: Plan, speakers: readonly Speaker[]): void {
    wire.give({ kind: 'plan', plan, speakers });
    for (const service of holdings.adopt(plan)) reports.add(service);
  }

  /** After the fact, once, on the Service that it is about. */
  function tell(address: string, happening: Happening | undefined): void {
    if (happening === undefined) return;
    for (const key of holdings.servicesOf(address)) {
      const service = observer.service(key);
      if (service === undefined) continue;
      events.record({ ...service, apiVersion: 'v1', kind: 'Service' }, happening);
    }
  }

  async function writeReport(service: string, until: AbortSignal): Promise<void> {
    const holding = holdings.of(service);
    if (holding !== undefined) await report.write(service, holding, until);
    else if (!holdings.isPlanned(service)) await report.remove(service, until);
  }

  async function writeNetworks(_node: string, until: AbortSignal): Promise<void> {
    await observer.synced();
    const nodeUid = () => observer.node(node)?.metadata.uid;
    const seen = stations.within(networks);
    await reportNetworks(seen, { transport, namespace, node, nodeUid }, until);
    await clock.sleep(networksRestMs, until);
  }
});
