import { randomInt } from 'node:crypto';
import { systemClock } from '../../daemon/clock.ts';
import { silentLog } from '../../daemon/log.ts';
import { kinds } from '../../kube/kinds.ts';
import { keyOf, type Service } from '../../kube/object.ts';
import { Reflector } from '../../kube/reflector.ts';
import type { Transport } from '../../kube/transport.ts';
import { speakersService } from '../../speaker/roster.ts';
import { endpointSlicesOf } from './endpoints.ts';
import type { Host } from './host.ts';
import { apply } from './manifests.ts';
import { countsAsReady, writeStatus } from './node-objects.ts';
import { systemNamespace } from './programs.ts';
import { proxyServices } from './service-proxy.ts';

/**
 * Stands in for what a cluster has beside us: node controller, EndpointSlice controller, kube-proxy. Follows
 * the Services and the power of the nodes until the signal aborts; what could not be written is tried
 * again a second later.
 */
export async function runStandIns(
  { api, nodes }: { api: Transport; nodes: readonly Host[] },
  signal: AbortSignal,
): Promise<void> {
  let changed = Promise.withResolvers<void>();
  const services = new Reflector<Service>({
    transport: api,
    kind: kinds.service,
    onChange: () => changed.resolve(),
    log: silentLog,
    clock: systemClock,
    random: () => randomInt(2 ** 32) / 2 ** 32,
  });
  const reflecting = services.run(signal);
  const work = new StandIns(api, nodes);
  while (!signal.aborted) {
    const balanced = [...services.values()].filter(({ spec }) => spec?.type === 'LoadBalancer');
    changed = Promise.withResolvers();
    await work.carryOut(balanced).catch(() => work.forget());
    const tick = systemClock.sleep(1_000, signal).catch(() => {});
    await Promise.race([changed.promise, tick]);
  }
  await reflecting;
}

/** The Service of `deploy/` that stands for the speakers themselves. */
const speakers: Service = {
  metadata: { name: speakersService, namespace: systemNamespace },
  spec: { clusterIP: 'None' },
};

class StandIns {
  readonly #api: Transport;
  readonly #nodes: readonly Host[];
  /** What was written last, by what it is about, so that only changes are written. */
  readonly #written = new Map<string, string>();

  constructor(api: Transport, nodes: readonly Host[]) {
    this.#api = api;
    this.#nodes = nodes;
  }

  async carryOut(services: readonly Service[]): Promise<void> {
    const wanted = services.map(({ spec, status }) => [spec, status?.loadBalancer]);
    await this.#once('rules', wanted, async () => {
      await Promise.all(this.#nodes.map((host) => proxyServices(host, services)));
    });
    for (const host of this.#nodes) {
      const about = `ready ${host.name}`;
      await this.#once(about, countsAsReady(host), () => writeStatus(this.#api, host));
    }
    // What a Service without a selector leads to is for whoever made it to say.
    const selecting = services.filter(({ spec }) => spec?.selector !== undefined);
    for (const service of [speakers, ...selecting]) {
      for (const slice of endpointSlicesOf(service, this.#nodes)) {
        const about = `slice ${keyOf(service)} ${slice.addressType}`;
        await this.#once(about, slice, () => apply(this.#api, slice));
      }
    }
  }

  forget(): void {
    this.#written.clear();
  }

  async #once(about: string, wanted: unknown, write: () => Promise<unknown>): Promise<void> {
    const text = JSON.stringify(wanted);
    if (this.#written.get(about) === text) return;
    await write();
    this.#written.set(about, text);
  }
}
