import { systemClock } from '../daemon/clock.ts';
import { runProgram } from '../daemon/program.ts';
import { KeyedQueue } from '../kube/queue.ts';
import { openTransport } from '../kube/transport.ts';
import { chronicle } from './chronicle.ts';
import { Holdings } from './holdings.ts';
import { L2Report } from './l2-report.ts';
import { Observer } from './observer.ts';
import type { Fact } from './orders.ts';
import type { Plan } from './plan.ts';
import { Planner } from './planner.ts';
import { accessOf, settingsTable, wireStart } from './settings.ts';
import { WirePort } from './wire-port.ts';

/** A planned move takes milliseconds; a pod's termination grace is longer than this. */
const leaveAtMostMs = 3000;

await runProgram('speaker', settingsTable, async (settings, { log, signal }) => {
  const { nodeName: node, namespace } = settings;
  const clock = systemClock;
  const random = Math.random;
  const transport = openTransport(accessOf(settings, process.env));
  const holdings = new Holdings();
  const report = new L2Report({ transport, namespace, node, clock });
  const reports = new KeyedQueue({ work: writeReport, concurrency: 4, clock, random, log });
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
    clock,
    log,
  });
  try {
    await Promise.race([
      Promise.all([observer.run(signal), planner.run(signal), reports.run(signal)]),
      wire.failed,
    ]);
  } finally {
    await wire.leave(clock, leaveAtMostMs);
    await wire.close();
    transport.close();
  }

  function onFact(fact: Fact): void {
    chronicle(log, fact);
    for (const service of holdings.note(fact, clock.wall())) reports.add(service);
  }

  function onPlan(plan: Plan): void {
    wire.give({ kind: 'plan', plan });
    for (const service of holdings.adopt(plan)) reports.add(service);
  }

  async function writeReport(service: string, until: AbortSignal): Promise<void> {
    const holding = holdings.of(service);
    if (holding !== undefined) await report.write(service, holding, until);
    else if (!holdings.isPlanned(service)) await report.remove(service, until);
  }
});
