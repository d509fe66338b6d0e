import type { ResourceEvent } from '@dot-i/k8s-operator';
import { type Model, problemsOf } from '../crds/model.ts';
import { ipAddressPoolKind, l2AdvertisementKind } from '../crds/names.ts';
import type { Pool } from '../crds/pool.ts';
import type { Clock } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import type { Kind } from '../kube/kinds.ts';
import { keyOf } from '../kube/object.ts';
import { KeyedQueue } from '../kube/queue.ts';
import type { Cached } from './frame.ts';
import type { Ledger } from './ledger.ts';
import { newest } from './newest.ts';
import type { NodeWorld } from './node-addresses.ts';
import { changeObjectStatus, type Judged, type PoolUse, readUse } from './pool-status.ts';
import type { Tally } from './tally.ts';

type JudgePorts = {
  /** Where pools and advertisements count. */
  readonly namespace: string;
  readonly ledger: Ledger;
  readonly tally: Pick<Tally, 'pool' | 'poolGone'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly model: () => Model;
  readonly nodeWorld: () => NodeWorld;
  readonly objects: (kind: Kind) => Cached<Judged>;
  /** Answers with the version that the object has then. */
  readonly write: (
    kind: Kind,
    object: Judged,
    status: Judged['status'],
  ) => Promise<string | undefined>;
};

const statusesAtOnce = 4;

/** The numbers of a pool follow within this time: a burst of assignments is one write per pool. */
const statusDelayMs = 500;

/** Keeps in the status of pools and advertisements what there is to say on them. */
export class Judge {
  readonly #ports: JudgePorts;
  readonly #queue: KeyedQueue;
  readonly #judged = new Map<string, Judged>();

  constructor(ports: JudgePorts) {
    const { clock, random, log } = ports;
    this.#ports = ports;
    this.#queue = new KeyedQueue({
      work: (key) => this.#judge(key),
      concurrency: statusesAtOnce,
      clock,
      random,
      log,
    });
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#queue.run(signal);
  }

  /** Something about the numbers of a pool may have changed. */
  poolChanged(pool: string): void {
    const key = `${ipAddressPoolKind.kind}/${this.#ports.namespace}/${pool}`;
    this.#queue.addAfter(key, statusDelayMs);
  }

  /** An object was written: by somebody, or as we wrote it. */
  changed(kind: Kind, { meta: { namespace = '', name }, type, object }: ResourceEvent): void {
    const key = `${kind.kind}/${namespace}/${name}`;
    const judged = this.#judged.get(key)?.metadata.resourceVersion;
    if (type === 'DELETED' || judged === object.metadata?.resourceVersion) this.#judged.delete(key);
    // Gone, or edited by hand: its status and its numbers are looked at in any case. Not at once: our own write
    // comes back here, too, and in a burst the numbers are others by then.
    this.#queue.addAfter(key, statusDelayMs);
  }

  all(): void {
    for (const kind of [ipAddressPoolKind, l2AdvertisementKind]) {
      for (const object of this.#ports.objects(kind).values()) {
        this.#queue.add(`${kind.kind}/${keyOf(object)}`);
      }
    }
  }

  /** Writes what there is to say on a pool or an advertisement, if it does not say so already. */
  async #judge(key: string): Promise<void> {
    const { objects, model, clock, write } = this.#ports;
    const [kindName = '', namespace = '', name = ''] = key.split('/');
    const pooled = kindName === ipAddressPoolKind.kind;
    const kind = pooled ? ipAddressPoolKind : l2AdvertisementKind;
    const pool = pooled ? this.#poolAt(namespace, name) : undefined;
    const use = pooled ? this.#useOf(namespace, name, pool) : undefined;
    const read = objects(kind).get(`${namespace}/${name}`);
    const object = newest(read, this.#judged.get(key));
    if (object === undefined) return;
    const about = { kind: pooled ? 'IPAddressPool' : 'L2Advertisement', namespace, name } as const;
    const judgement = { problems: problemsOf(model(), about), now: clock.wall(), pool };
    const status = changeObjectStatus(object, judgement, use);
    if (status === undefined) return;
    const resourceVersion = await write(kind, object, status);
    const metadata = { ...object.metadata, ...(resourceVersion && { resourceVersion }) };
    this.#judged.set(key, { ...object, metadata, status: { ...object.status, ...status } });
  }

  #poolAt(namespace: string, name: string): Pool | undefined {
    if (namespace !== this.#ports.namespace) return undefined;
    return this.#ports.model().pools.find((each) => each.name === name);
  }

  #useOf(namespace: string, name: string, pool: Pool | undefined): PoolUse {
    const { ledger, tally, nodeWorld } = this.#ports;
    // The numbers under that name are those of the pool where pools count.
    if (namespace !== this.#ports.namespace) return readUse('', undefined, ledger, nodeWorld());
    const use = readUse(name, pool, ledger, nodeWorld());
    if (pool === undefined) tally.poolGone(name);
    else tally.pool(name, use);
    return use;
  }
}
