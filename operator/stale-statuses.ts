import { l2StatusLabels, l2StatusName } from '../crds/l2-status.ts';
import { serviceL2StatusKind } from '../crds/names.ts';
import type { Clock } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import { pathOf } from '../kube/kinds.ts';
import { type KubeObject, placeOf } from '../kube/object.ts';
import { KeyedQueue } from '../kube/queue.ts';
import { ApiError, type Transport } from '../kube/transport.ts';
import { remove } from '../kube/write.ts';

type StaleStatusesOptions = {
  readonly transport: Transport;
  readonly namespace: string;
  /** Whether there is a Service of this key, `namespace/name`, with addresses that speakers announce. */
  readonly isAnnounced: (key: string) => boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** The permission to write. */
  readonly held: AbortSignal;
};

type Page = {
  readonly metadata: { readonly continue?: string };
  readonly items: readonly KubeObject[];
};

/** The holder takes its own object away; after as long it has, or it is dead. */
const leaveToHolderMs = 10_000;
const pageSize = 500;
const everything = '*';

/**
 * Removes the ServiceL2Status of a Service that is gone, or announced no more, where its holder cannot, having died
 * before. The operator does, and no speaker: one of it acts, and it knows every Service, so that nobody need watch these
 * objects.
 */
export class StaleStatuses {
  readonly #options: StaleStatusesOptions;
  readonly #queue: KeyedQueue;
  readonly #announced = new Set<string>();

  constructor(options: StaleStatusesOptions) {
    this.#options = options;
    const { clock, random, log } = options;
    const work = (key: string) => (key === everything ? this.#list() : this.#clear(key));
    this.#queue = new KeyedQueue({ work, concurrency: 2, clock, random, log });
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#queue.run(signal);
  }

  /** Services went while nobody looked: once, when this operator begins to act. */
  lookAtAll(): void {
    this.#queue.add(everything);
  }

  /** This Service is new, has changed, or was deleted. */
  look(key: string): void {
    if (this.#options.isAnnounced(key)) this.#announced.add(key);
    else if (this.#announced.delete(key)) this.#clearLater(key);
  }

  #clearLater(key: string): void {
    this.#queue.addAfter(key, leaveToHolderMs);
  }

  async #list(): Promise<void> {
    const { transport, namespace, isAnnounced, held } = this.#options;
    const path = pathOf(serviceL2StatusKind, { namespace });
    let token: string | undefined;
    do {
      const query = { limit: pageSize, continue: token };
      const page: Page = await transport.call({ method: 'GET', path, query }, held);
      for (const { metadata } of page.items) {
        const of = metadata.labels?.[l2StatusLabels.namespace];
        const name = metadata.labels?.[l2StatusLabels.service];
        const key = `${of}/${name}`;
        // MetalLB's own have other names, and go with its speakers.
        if (of === undefined || name === undefined) continue;
        if (metadata.name === l2StatusName({ namespace: of, name }) && !isAnnounced(key))
          this.#clearLater(key);
      }
      token = page.metadata.continue;
    } while (token !== undefined && token !== '');
  }

  async #clear(key: string): Promise<void> {
    const { transport, namespace, isAnnounced, log, held } = this.#options;
    if (isAnnounced(key)) return;
    const { namespace: of = '', name } = placeOf(key);
    const path = pathOf(serviceL2StatusKind, {
      namespace,
      name: l2StatusName({ namespace: of, name }),
    });
    try {
      const stale: KubeObject = await transport.call({ method: 'GET', path }, held);
      await remove(transport, serviceL2StatusKind, stale, held);
      log.info('removed what a dead holder left', { service: key, status: stale.metadata.name });
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 404)) throw error;
    }
  }
}
