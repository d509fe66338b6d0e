import { randomBytes } from 'node:crypto';
import { systemClock as clock } from '../daemon/clock.ts';
import { Metrics } from '../daemon/metrics.ts';
import { openProbes } from '../daemon/probes.ts';
import { runProgram } from '../daemon/program.ts';
import { EventRecorder } from '../kube/events.ts';
import { openTransport } from '../kube/transport.ts';
import { openAccess } from './access.ts';
import { openAllocatorMetrics } from './allocator-metrics.ts';
import { operate } from './operate.ts';
import { settingsTable } from './settings.ts';

await runProgram('operator', settingsTable, async (settings, { log, signal }) => {
  const { namespace, lbClass, identity, leaseSeconds, restSeconds, metricsPort, host } = settings;
  const random = Math.random;
  const access = await openAccess(settings, process.env);
  const transport = openTransport(access, { clock });
  const metrics = new Metrics();
  const reporter = { component: 'metallb-controller', instance: identity };
  await using _probes = await openProbes({
    port: metricsPort,
    flag: '--metrics-port',
    host,
    metrics,
  });
  log.info('started', { server: access.server, namespace, lbClass, identity });
  await operate(
    {
      transport,
      namespace,
      lbClass,
      restMs: restSeconds * 1_000,
      identity,
      leaseSeconds,
      events: new EventRecorder({ transport, clock, log, ...reporter }),
      tally: openAllocatorMetrics(metrics),
      clock,
      random,
      randomBytes,
      log,
    },
    signal,
  );
  transport.close();
});
