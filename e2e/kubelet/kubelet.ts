import { randomInt } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { systemClock } from '../../daemon/clock.ts';
import { silentLog } from '../../daemon/log.ts';
import { kinds } from '../../kube/kinds.ts';
import type { Condition } from '../../kube/object.ts';
import { KeyedQueue } from '../../kube/queue.ts';
import { Reflector } from '../../kube/reflector.ts';
import { ApiError, type Transport } from '../../kube/transport.ts';
import { mergePatch } from '../../kube/write.ts';
import type { Host } from '../lab/host.ts';
import { NodeVoice, renewalMs } from './node.ts';
import type { Pod } from './pod.ts';
import { PodRun, type PodStatus } from './pod-run.ts';
import { podPath } from './volumes.ts';

const lookAgainMs = 500;
const random = (): number => randomInt(2 ** 32) / 2 ** 32;
const surroundings = { log: silentLog, clock: systemClock, random };

/** While a node was away, the controllers said of its Pods that they are not ready. */
function isContradicted({ status }: Pod, own: PodStatus): boolean {
  const readyIn = (conditions: readonly Condition[] = []) =>
    conditions.find(({ type }) => type === 'Ready')?.status;
  return readyIn(status?.conditions) !== readyIn(own.conditions);
}

/**
 * A kubelet without containers' isolation from each other: registers its host as a node and keeps it alive, runs the Pods
 * that are bound to it as processes of the host, and tells how they are. A host without power does and says nothing;
 * `api` has to go through the host's own network, so that a host that is cut off says nothing either.
 */
export class Kubelet {
  readonly #api: Transport;
  readonly #host: Host;
  readonly #folder: string;
  readonly #pods: Reflector<Pod>;
  readonly #queue: KeyedQueue;
  readonly #runs = new Map<string, { readonly run: PodRun; readonly number: number }>();
  /** Of the Pods that run or are about to: the last byte of an address. */
  readonly #numbers = new Set<number>();
  readonly #told = new Map<string, PodStatus>();
  readonly #faults = new Map<string, unknown>();

  constructor({ api, host, folder }: { api: Transport; host: Host; folder: string }) {
    this.#api = api;
    this.#host = host;
    this.#folder = folder;
    this.#queue = new KeyedQueue({
      ...surroundings,
      work: (key) => this.#sync(key),
      concurrency: 16,
      onFailure: (key, error) => this.#faults.set(key, error),
    });
    this.#pods = new Reflector<Pod>({
      ...surroundings,
      transport: api,
      kind: kinds.pod,
      fieldSelector: `spec.nodeName=${host.name}`,
      onChange: ({ key }) => this.#queue.add(key),
    });
  }

  /** What keeps its Pods from running, by the name of the Pod. */
  get faults(): ReadonlyMap<string, unknown> {
    return this.#faults;
  }

  /** Runs until the signal aborts. The containers stay: they end with their host. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#live(signal), this.#pods.run(signal), this.#queue.run(signal)]);
  }

  async #live(signal: AbortSignal): Promise<void> {
    const voice = new NodeVoice(this.#api, this.#host);
    const speak = { now: () => voice.register(), next: () => voice.beat() };
    let say = speak.now;
    while (!signal.aborted) {
      const spoken =
        this.#host.powerlessSinceMs === undefined &&
        (await say().then(
          () => true,
          () => false,
        ));
      if (spoken) say = speak.next;
      await systemClock.sleep(spoken ? renewalMs : lookAgainMs, signal).catch(() => {});
    }
  }

  async #sync(key: string): Promise<void | { againAfterMs: number }> {
    const again = { againAfterMs: lookAgainMs };
    if (this.#host.powerlessSinceMs !== undefined) return again;
    const pod = this.#pods.get(key);
    const running = this.#runs.get(key);
    if (running !== undefined && running.run.pod.metadata.uid !== pod?.metadata.uid) {
      await this.#end(key, 0);
      return again;
    }
    if (pod === undefined) return undefined;
    if (pod.metadata.deletionTimestamp !== undefined) {
      await this.#end(key, pod.metadata.deletionGracePeriodSeconds ?? 30);
      await this.#release(pod);
      return undefined;
    }
    const run = running?.run ?? (await this.#start(key, pod));
    const status = await run.look();
    if (!isDeepStrictEqual(this.#told.get(key), status) || isContradicted(pod, status)) {
      const { namespace, name } = pod.metadata;
      await mergePatch(
        this.#api,
        { kind: kinds.pod, namespace, name, subresource: 'status' },
        { status: this.#withScheduled(pod, status) },
      );
      this.#told.set(key, status);
    }
    this.#faults.delete(key);
    return again;
  }

  /** A patch replaces the list of conditions, and one of them is the scheduler's. */
  #withScheduled({ status }: Pod, own: PodStatus): object {
    const names = new Set(own.conditions.map(({ type }) => type));
    const others = (status?.conditions ?? []).filter(({ type }) => !names.has(type));
    return { ...own, conditions: [...others, ...own.conditions] };
  }

  async #start(key: string, pod: Pod): Promise<PodRun> {
    let number = 1;
    while (this.#numbers.has(number)) number++;
    this.#numbers.add(number);
    try {
      const place = { api: this.#api, host: this.#host, folder: this.#folder, number };
      const run = await PodRun.start(pod, place);
      this.#runs.set(key, { run, number });
      return run;
    } catch (error) {
      this.#numbers.delete(number);
      throw error;
    }
  }

  async #end(key: string, graceSeconds: number): Promise<void> {
    const ending = this.#runs.get(key);
    if (ending === undefined) return;
    await ending.run.stop(graceSeconds);
    this.#runs.delete(key);
    this.#told.delete(key);
    this.#numbers.delete(ending.number);
  }

  /** The last word on a Pod that has ended: its object may go. */
  async #release(pod: Pod): Promise<void> {
    const { uid } = pod.metadata;
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds: 0,
      preconditions: { uid },
    };
    try {
      await this.#api.call({ method: 'DELETE', path: podPath(pod), body });
    } catch (error) {
      if (!(error instanceof ApiError) || (error.code !== 404 && error.code !== 409)) throw error;
    }
  }
}
