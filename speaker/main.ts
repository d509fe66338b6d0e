import type { NodeNetworkStatus } from '../crds/node-network.ts';
import { systemClock } from '../daemon/clock.ts';
import { openProbes } from '../daemon/probes.ts';
import { runProgram } from '../daemon/program.ts';
import { counted } from '../kube/counted.ts';
import type { Happening } from '../kube/event-fold.ts';
import { EventRecorder } from '../kube/events.ts';
import { KeyedQueue } from '../kube/queue.ts';
import { openTransport } from '../kube/transport.ts';
import { announcing, chronicle, witnessed } from './chronicle.ts';
import { Herald } from './herald.ts';
import { HolderReports } from './holder-reports.ts';
import { ForeignStations } from './foreign-stations.ts';
import { Holdings } from './holdings.ts';
import { watchKeys } from './key-watch.ts';
import { checkKubeProxy } from './kube-proxy-check.ts';
import { L2Report } from './l2-report.ts';
import { SpeakerMetrics } from './metrics.ts';
import { reportNetworks } from './network-report.ts';
import { Observer } from './observer.ts';
import type { Diagnosis, Fact, Held, Witnessed } from './orders.ts';
import type { Plan } from './plan.ts';
import { planChange } from './plan-change.ts';
import { Planner } from './planner.ts';
import type { PulseKeys } from './pulse-keys.ts';
import { isFirst, type Speaker } from './roster.ts';
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
  const transport = counted(openTransport(accessOf(settings, process.env)), (method, outcome) =>
    metrics.noteCall(method, outcome),
  );
  const events = new EventRecorder({
    transport,
    component: 'metallb-speaker',
    instance: node,
    clock,
    log,
  });
  const holdings = new Holdings();
  const metrics = new SpeakerMetrics({
    node,
    holdings,
    events,
    hasPlan: () => planner.hasPlan,
  });
  const l2Report = new L2Report({ transport, namespace, node });
  const reports = new HolderReports({
    holdings,
    write: (...what) => l2Report.write(...what),
    isFirst: () => isFirst(node, planner.speakers),
    onOutcome: (outcome) => metrics.noteLook(outcome),
    clock,
    random,
    log,
  });
  const herald = new Herald({ holdings, announce, synced: () => observer.synced(), clock });
  const networkReports = new KeyedQueue({
    work: writeNetworks,
    concurrency: 1,
    clock,
    random,
    log,
  });
  let networks: NodeNetworkStatus = {};
  const stations = new ForeignStations();
  let told: Plan | undefined;
  const wire = new WirePort(wireStart(settings, log), onFact);
  const observer = new Observer({
    transport,
    namespace,
    onChange: () => {
      metrics.noteUpdate();
      planner.change();
    },
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
        herald.run(signal),
        settings.pulseKeyFile === undefined ? undefined : watch(settings.pulseKeyFile),
        settings.checkKubeProxy === undefined ? undefined : check(settings.checkKubeProxy),
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
    changed(holdings.note(fact, clock.wall()));
    if (fact.kind === 'witnessed') testify(fact);
    if (fact.kind === 'networks') networks = fact.networks;
    if (stations.note(fact, clock.wall()) || fact.kind === 'networks') networkReports.add(node);
  }

  function watch(path: string): Promise<void> {
    const onKeys = (keys: PulseKeys) => wire.give({ kind: 'keys', keys });
    return watchKeys({ path, onKeys, clock, log }, signal);
  }

  function check(url: string): Promise<void> {
    const onChange = (diagnosis: Diagnosis) => wire.give({ kind: 'kubeProxy', diagnosis });
    return checkKubeProxy({ url, onChange, clock }, signal);
  }

  function onPlan(plan: Plan, speakers: readonly Speaker[]): void {
    wire.give({ kind: 'plan', change: planChange(told, plan), speakers });
    told = plan;
    changed(holdings.adopt(plan));
  }

  function changed(services: readonly string[]): void {
    reports.changed(services);
    herald.changed(services);
  }

  function announce(key: string, held: Held): void {
    tell(key, announcing(node, held));
  }

  function testify(found: Witnessed): void {
    const happening = witnessed(node, found);
    if (happening === undefined) return;
    for (const key of holdings.servicesOf(found.address)) tell(key, happening);
  }

  function tell(key: string, happening: Happening): void {
    const service = observer.service(key);
    if (service === undefined) return;
    events.record({ ...service, apiVersion: 'v1', kind: 'Service' }, happening);
  }

  async function writeNetworks(_node: string, until: AbortSignal): Promise<void> {
    await observer.synced();
    const nodeUid = () => observer.node(node)?.metadata.uid;
    const seen = stations.within(networks);
    await reportNetworks(seen, { transport, namespace, node, nodeUid }, until);
    await clock.sleep(networksRestMs, until);
  }
});
