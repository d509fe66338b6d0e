import { systemClock } from '../../daemon/clock.ts';
import { kinds } from '../../kube/kinds.ts';
import type { Condition, Node } from '../../kube/object.ts';
import type { Transport } from '../../kube/transport.ts';
import { mergePatch } from '../../kube/write.ts';
import type { Host } from './host.ts';
import { apply } from './manifests.ts';

/**
 * The kubelet renews a node every 10 s, and the node controller waits for 40 s of silence
 * (`--node-monitor-grace-period` before Kubernetes 1.32; 50 s since) before it says Unknown. So nothing that moves
 * an address in time can come from here, in the lab as in real life.
 */
const silenceMs = 40_000;

/** As the kubelet registers its node. */
export async function registerNode(api: Transport, host: Host): Promise<void> {
  const { name } = host;
  const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' };
  await apply(api, { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } });
  await writeStatus(api, host);
  // The node controller takes away what keeps Pods off a node that was not ready at first.
  await mergePatch(api, { kind: kinds.node, name }, { spec: { taints: null } });
}

/** Whether the cluster would still call this node Ready. */
export function countsAsReady(host: Host): boolean {
  const { powerlessSinceMs } = host;
  return powerlessSinceMs === undefined || systemClock.nowMs() - powerlessSinceMs < silenceMs;
}

export async function writeStatus(api: Transport, host: Host): Promise<void> {
  const at = systemClock
    .wall()
    .toISOString()
    .replace(/\.\d+Z/, 'Z');
  const ready: Condition = countsAsReady(host)
    ? { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'the lab runs this node' }
    : {
        type: 'Ready',
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'the node is silent',
      };
  const status: Node['status'] = {
    addresses: [
      { type: 'InternalIP', address: host.address },
      { type: 'InternalIP', address: host.address6 },
      { type: 'Hostname', address: host.name },
    ],
    conditions: [{ ...ready, lastTransitionTime: at }],
  };
  const target = { kind: kinds.node, name: host.name, subresource: 'status' } as const;
  await mergePatch(api, target, { status });
}
