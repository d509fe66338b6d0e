import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../daemon/clock.ts';
import type { Condition } from '../../kube/object.ts';
import type { Transport } from '../../kube/transport.ts';
import type { Host } from '../lab/host.ts';
import { containerProgram } from './container.ts';
import { imageOf } from './image.ts';
import { type ContainerSpec, fieldOf, type Pod, type Probe, type Whereabouts } from './pod.ts';
import { PodNetwork } from './pod-network.ts';
import { prepareVolume } from './volumes.ts';

/** What a kubelet waits before it starts a container again that ended: ten seconds at first, as here always. */
const backOffMs = 10_000;
/** A probe that names no period (`periodSeconds`), and how soon one that fails is tried again here. */
const usualPeriodSeconds = 10;
const hurryMs = 300;

export type PodStatus = {
  readonly phase: 'Running';
  readonly hostIP: string;
  readonly hostIPs: readonly { ip: string }[];
  readonly podIP: string;
  readonly podIPs: readonly { ip: string }[];
  readonly startTime: string;
  readonly conditions: readonly Condition[];
  readonly containerStatuses: readonly object[];
};

/** The containers of one Pod on one host, from when they are started until they are gone. */
export class PodRun {
  readonly pod: Pod;
  readonly #host: Host;
  readonly #at: Whereabouts;
  readonly #network: PodNetwork | undefined;
  readonly #folder: string;
  readonly #startTime = toSeconds(systemClock.wall());
  readonly #names = new Map<ContainerSpec, string>();
  readonly #ready = new Set<ContainerSpec>();
  readonly #askAtMs = new Map<ContainerSpec, number>();
  readonly #endedAtMs = new Map<ContainerSpec, number>();
  readonly #restarts = new Map<ContainerSpec, number>();
  readonly #pids = new Map<ContainerSpec, number>();
  #readyAt = '';

  private constructor(
    pod: Pod,
    { host, folder, network }: { host: Host; folder: string; network: PodNetwork | undefined },
  ) {
    this.pod = pod;
    this.#host = host;
    this.#folder = folder;
    this.#network = network;
    this.#at = {
      hostAddress: host.address,
      podAddress: network?.address ?? host.address,
      podAddress6: network?.address6 ?? host.address6,
    };
  }

  /**
   * Prepares volumes and network, and starts the containers. Throws where something is missing that may come yet, and
   * then leaves nothing behind.
   */
  static async start(
    pod: Pod,
    { api, host, folder, number }: { api: Transport; host: Host; folder: string; number: number },
  ): Promise<PodRun> {
    const own = join(folder, `${host.name}.pods`, pod.metadata.uid ?? pod.metadata.name);
    rmSync(own, { recursive: true, force: true });
    mkdirSync(own, { recursive: true });
    const volumes = new Map<string, string>();
    const user =
      pod.spec.securityContext?.runAsUser ?? pod.spec.containers[0]?.securityContext?.runAsUser;
    const image = imageOf(pod.spec.containers[0]?.image ?? '');
    const storage = {
      api,
      folder: own,
      user: user ?? image.user,
    };
    for (const volume of pod.spec.volumes ?? [])
      volumes.set(volume.name, await prepareVolume(pod, volume, storage));
    const network = pod.spec.hostNetwork === true ? undefined : await PodNetwork.open(host, number);
    const run = new PodRun(pod, { host, folder: own, network });
    for (const spec of pod.spec.containers) run.#startContainer(spec, volumes);
    return run;
  }

  /** Ends the containers, with SIGKILL for what has not left in time, and removes what is theirs. */
  async stop(graceSeconds: number): Promise<void> {
    const names = [...this.#names.values()].filter((name) => this.#host.isRunning(name));
    await Promise.all(names.map((name) => this.#host.running(name).stop(graceSeconds * 1_000)));
    for (const name of this.#names.values()) this.#host.uninstall(name);
    await this.#network?.[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Starts again what ended, asks the probes that are due, and answers how the Pod is. */
  async look(): Promise<PodStatus> {
    await Promise.all(this.pod.spec.containers.map((spec) => this.#lookAt(spec)));
    const { hostAddress, podAddress, podAddress6 } = this.#at;
    const ready = this.pod.spec.containers.every((spec) => this.#ready.has(spec));
    if (ready && this.#readyAt === '') this.#readyAt = toSeconds(systemClock.wall());
    if (!ready) this.#readyAt = '';
    const conditions = ['PodReadyToStartContainers', 'Initialized', 'ContainersReady', 'Ready'].map(
      (type): Condition => {
        const holds = ready || !type.endsWith('Ready');
        const lastTransitionTime = (holds && this.#readyAt) || this.#startTime;
        return { type, status: holds ? 'True' : 'False', lastTransitionTime };
      },
    );
    return {
      phase: 'Running',
      hostIP: hostAddress,
      hostIPs: [{ ip: hostAddress }, { ip: this.#host.address6 }],
      podIP: podAddress,
      podIPs: [{ ip: podAddress }, { ip: podAddress6 }],
      startTime: this.#startTime,
      conditions,
      containerStatuses: this.pod.spec.containers.map((spec) => this.#statusOf(spec)),
    };
  }

  #startContainer(spec: ContainerSpec, volumes: ReadonlyMap<string, string>): void {
    const { pod } = this;
    // A Pod on the host's network owns ports of the machine: there is one, and it is known by its program.
    const name = pod.spec.hostNetwork === true ? spec.name : pod.metadata.name;
    const root = join(this.#folder, 'root', spec.name);
    mkdirSync(root, { recursive: true });
    const env = (spec.env ?? []).map(({ name: key, value = '', valueFrom }) => [
      key,
      valueFrom?.fieldRef === undefined
        ? value
        : fieldOf(pod, valueFrom.fieldRef.fieldPath, this.#at),
    ]);
    const program = containerProgram({
      name,
      spec,
      security: { ...pod.spec.securityContext, ...spec.securityContext },
      image: imageOf(spec.image),
      env: { ...clusterEnv, HOSTNAME: pod.metadata.name, ...Object.fromEntries(env) },
      mounts: (spec.volumeMounts ?? []).map((mount) => ({
        from: volumes.get(mount.name) ?? '',
        at: mount.mountPath,
        readOnly: mount.readOnly ?? false,
      })),
      namespace: this.#network?.namespace ?? this.#host.namespace,
      root,
    });
    this.#names.set(spec, name);
    this.#host.install(program);
  }

  async #lookAt(spec: ContainerSpec): Promise<void> {
    const name = this.#names.get(spec) ?? '';
    const nowMs = systemClock.nowMs();
    if (!this.#host.isRunning(name)) {
      this.#ready.delete(spec);
      const endedAtMs = this.#endedAtMs.get(spec) ?? nowMs;
      this.#endedAtMs.set(spec, endedAtMs);
      if (nowMs - endedAtMs < backOffMs) return;
      this.#host.start(name);
    }
    this.#endedAtMs.delete(spec);
    this.#noteRestart(spec, this.#host.running(name).pid);
    if (nowMs < (this.#askAtMs.get(spec) ?? 0)) return;
    const { readinessProbe: probe } = spec;
    const ready = probe === undefined || (await this.#succeeds(probe, spec));
    if (ready) this.#ready.add(spec);
    else this.#ready.delete(spec);
    const periodMs = (probe?.periodSeconds ?? usualPeriodSeconds) * 1_000;
    this.#askAtMs.set(spec, systemClock.nowMs() + (ready ? periodMs : hurryMs));
  }

  /** Another process than before, whoever started it, has yet to show that it is ready. */
  #noteRestart(spec: ContainerSpec, pid: number): void {
    const before = this.#pids.get(spec);
    this.#pids.set(spec, pid);
    if (before === undefined || before === pid) return;
    this.#restarts.set(spec, (this.#restarts.get(spec) ?? 0) + 1);
    this.#ready.delete(spec);
    this.#askAtMs.delete(spec);
  }

  async #succeeds({ httpGet }: Probe, { ports = [] }: ContainerSpec): Promise<boolean> {
    if (httpGet === undefined) throw new Error('the lab knows httpGet probes only');
    const { path = '/', port, host = this.#at.podAddress } = httpGet;
    const number = ports.find(({ name }) => name === port)?.containerPort ?? port;
    const asked = ['--silent', '--fail', '--max-time', '1', `http://${host}:${number}${path}`];
    return (await this.#host.outcomeOf('curl', asked)).code === 0;
  }

  #statusOf(spec: ContainerSpec): object {
    const running = this.#host.isRunning(this.#names.get(spec) ?? '');
    return {
      name: spec.name,
      image: spec.image,
      imageID: spec.image,
      ready: this.#ready.has(spec),
      started: running,
      restartCount: this.#restarts.get(spec) ?? 0,
      state: running
        ? { running: { startedAt: this.#startTime } }
        : { waiting: { reason: 'CrashLoopBackOff', message: 'it ended, and is started again' } },
    };
  }
}

/** The Service `kubernetes`, which kube-proxy leads to the API server. */
const clusterEnv = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };

const toSeconds = (at: Date): string => at.toISOString().replace(/\.\d+Z/, 'Z');
