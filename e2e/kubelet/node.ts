import { arch, release } from 'node:os';
import { systemClock } from '../../daemon/clock.ts';
import { kinds, pathOf } from '../../kube/kinds.ts';
import type { Condition, Node } from '../../kube/object.ts';
import { ApiError, type Transport } from '../../kube/transport.ts';
import { create, mergePatch } from '../../kube/write.ts';
import type { Host } from '../lab/host.ts';
import { podRangesOf } from './pod-network.ts';

/** As kubelets have it: `--node-lease-duration-seconds`, and a renewal after a quarter of it. */
const leaseSeconds = 40;
export const renewalMs = (leaseSeconds / 4) * 1_000;

const leaseNamespace = 'kube-node-lease';

/** What a kubelet says about its node: once that it is there, and then that it is alive. */
export class NodeVoice {
  readonly #api: Transport;
  readonly #host: Host;

  constructor(api: Transport, host: Host) {
    this.#api = api;
    this.#host = host;
  }

  async register(): Promise<void> {
    const { name } = this.#host;
    const labels = {
      'kubernetes.io/hostname': name,
      'kubernetes.io/os': 'linux',
      'kubernetes.io/arch': architecture(),
    };
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } };
    const podCIDRs = podRangesOf(this.#host);
    const spec = { podCIDR: podCIDRs[0], podCIDRs };
    await orAlready(create(this.#api, kinds.node, { ...node, spec }));
    await this.#renew();
    await this.#report();
  }

  /** Renews the lease, and the status where the cluster thinks otherwise of the node. */
  async beat(): Promise<void> {
    await this.#renew();
    const path = pathOf(kinds.node, { name: this.#host.name });
    const { status } = await this.#api.call<Node>({ method: 'GET', path });
    const ready = status?.conditions?.find(({ type }) => type === 'Ready');
    if (ready?.status !== 'True') await this.#report();
  }

  async #renew(): Promise<void> {
    const { name } = this.#host;
    // Six digits: a server takes no other MicroTime.
    const renewTime = systemClock.wall().toISOString().replace('Z', '000Z');
    const spec = { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime };
    const target = { kind: kinds.lease, namespace: leaseNamespace, name };
    const metadata = { name, namespace: leaseNamespace };
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
    try {
      await mergePatch(this.#api, target, { spec });
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 404) throw error;
      await orAlready(create(this.#api, kinds.lease, lease));
    }
  }

  async #report(): Promise<void> {
    const at = systemClock
      .wall()
      .toISOString()
      .replace(/\.\d+Z/, 'Z');
    const times = { lastHeartbeatTime: at, lastTransitionTime: at };
    const fine = ['MemoryPressure', 'DiskPressure', 'PIDPressure'].map((type) => ({
      type,
      status: 'False' as const,
      reason: `KubeletHasNo${type}`,
      message: 'the lab does not measure it',
      ...times,
    }));
    const message = 'the lab runs this node';
    const ready: Condition = {
      type: 'Ready',
      status: 'True',
      reason: 'KubeletReady',
      message,
      ...times,
    };
    const room = { cpu: '8', memory: '16Gi', pods: '110' };
    const { name, address, address6 } = this.#host;
    const addresses = [
      { type: 'InternalIP', address },
      { type: 'InternalIP', address: address6 },
      { type: 'Hostname', address: name },
    ];
    const conditions: readonly Condition[] = [...fine, ready];
    const nodeInfo = {
      machineID: name,
      systemUUID: name,
      bootID: name,
      kernelVersion: release(),
      osImage: 'network namespace of the lab',
      containerRuntimeVersion: 'lab://1',
      kubeletVersion: 'v0.0.0-lab',
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: architecture(),
    };
    const status = { addresses, conditions, capacity: room, allocatable: room, nodeInfo };
    await mergePatch(this.#api, { kind: kinds.node, name, subresource: 'status' }, { status });
  }
}

async function orAlready(creating: Promise<unknown>): Promise<void> {
  await creating.catch((error: unknown) => {
    if (!(error instanceof ApiError) || error.code !== 409) throw error;
  });
}

/** In Go's words. */
const architecture = (): string => (arch() === 'x64' ? 'amd64' : arch());
