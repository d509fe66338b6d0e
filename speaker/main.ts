import { systemClock } from '../daemon/clock.ts';
import { openProbes } from '../daemon/probes.ts';
import { runProgram } from '../daemon/program.ts';
import { counted } from '../kube/counted.ts';
import { EventRecorder } from '../kube/events.ts';
import { openTransport } from '../kube/transport.ts';
import { watchKeys } from './key-watch.ts';
import { checkKubeProxy } from './kube-proxy-check.ts';
import { SpeakerMetrics } from './metrics.ts';
import { Observer } from './observer.ts';
import type { Diagnosis } from './orders.ts';
import { Planner } from './planner.ts';
import type { PulseKeys } from './pulse-keys.ts';
import { Publisher } from './publisher.ts';
import { accessOf, settingsTable, wireStart } from './settings.ts';
import { WirePort } from './wire-port.ts';

/** A planned move takes milliseconds; a pod's termination grace is longer than this. */
const handOverAtMostMs = 3000;

await runProgram('speaker', settingsTable, async (settings, { log, signal }) => {
  const { nodeName: node, namespace, pulseKeyFile, checkKubeProxy: healthUrl } = settings;
  const clock = systemClock;
  const random = Math.random;

  const metrics = new SpeakerMetrics();
  const access = accessOf(settings, process.env);
  const transport = counted(openTransport(access), (...call) => metrics.noteCall(...call));
  const events = new EventRecorder({
    transport,
    component: 'metallb-speaker',
    instance: node,
    clock,
    log,
  });

  const observer = new Observer({ transport, namespace, clock, random, log });
  const surroundings = {
    node,
    namespace,
    transport,
    observer,
    events,
    metrics,
    clock,
    random,
    log,
  };
  const publisher = new Publisher(surroundings);
  const wire = new WirePort(wireStart(settings, log), (fact) => publisher.note(fact));
  const planner = new Planner({
    observer,
    settings: {
      node,
      loadBalancerClass: settings.lbClass,
      ignoreExcludeLabel: settings.ignoreExcludeLb,
    },
    stateDir: settings.stateDir,
    onPlan: (...plan) => {
      wire.adopt(...plan);
      publisher.adopt(...plan);
    },
    namespace,
    clock,
    log,
  });
  const onChange = (): void => {
    metrics.noteUpdate();
    planner.change();
  };
  const onKeys = (keys: PulseKeys): void => wire.give({ kind: 'keys', keys });
  const onHealth = (diagnosis: Diagnosis): void => wire.give({ kind: 'kubeProxy', diagnosis });

  const { holdings } = publisher;
  metrics.expose({ node, holdings, events, hasPlan: () => planner.hasPlan });
  await using _probes = await openProbes({
    port: settings.metricsPort,
    flag: '--metrics-port',
    host: settings.host,
    ready: {
      plan: () => (planner.hasPlan ? undefined : 'no plan yet: the API server has not been heard'),
    },
    metrics: metrics.metrics,
  });

  try {
    await Promise.race([
      Promise.all([
        observer.run(onChange, signal),
        planner.run(signal),
        publisher.run(signal),
        pulseKeyFile && watchKeys({ path: pulseKeyFile, onKeys, clock, log }, signal),
        healthUrl && checkKubeProxy({ url: healthUrl, onChange: onHealth, clock }, signal),
      ]),
      wire.failed,
    ]);
  } finally {
    await wire.leave(clock, handOverAtMostMs);
    await wire.close();
    transport.close();
  }
});
