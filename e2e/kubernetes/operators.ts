import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kinds, pathOf } from '../../kube/kinds.ts';
import type { Lease } from '../../kube/object.ts';
import { ApiError, type Transport } from '../../kube/transport.ts';
import { leaseName } from '../../operator/operate.ts';
import type { Program } from '../lab/host.ts';
import { fromRoot } from '../lab/programs.ts';
import { formatKubeconfig, type Kubeconfig } from './kubeconfig.ts';
import { namespace } from './load.ts';

type OperatorSettings = {
  readonly name: string;
  readonly leaseSeconds: number;
  /** What `node` is given before the program. */
  readonly preload?: readonly string[];
};

/** An operator that reads a kubeconfig; `name` is its identity, too. No address rests, so that each is soon reused. */
export function operatorWithKubeconfig(
  folder: string,
  access: Kubeconfig,
  settings: OperatorSettings,
): Program {
  const kubeconfig = join(folder, `${settings.name}.kubeconfig`);
  writeFileSync(kubeconfig, formatKubeconfig(access), { mode: 0o600 });
  const args = argumentsOf(settings, ['--kubeconfig', kubeconfig]);
  return { name: settings.name, file: process.execPath, args };
}

/**
 * An operator as in a Pod: it finds the API server in its environment and its service account where a kubelet mounts
 * it, by a mount that only this process sees. Needs root.
 */
export function operatorInPod(
  mount: string,
  server: { readonly host: string; readonly port: number },
  settings: OperatorSettings,
): Program {
  const folder = '/run/secrets/kubernetes.io/serviceaccount';
  const enter = `mount -t tmpfs none /run && mkdir -p ${folder} && mount --bind "$0" ${folder} && exec "$@"`;
  const variables = [
    `KUBERNETES_SERVICE_HOST=${server.host}`,
    `KUBERNETES_SERVICE_PORT=${server.port}`,
  ];
  const inside = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', enter, mount];
  const args = [...variables, ...inside, process.execPath, ...argumentsOf(settings, [])];
  return { name: settings.name, file: 'env', args };
}

function argumentsOf(
  { name, leaseSeconds, preload = [] }: OperatorSettings,
  more: readonly string[],
): readonly string[] {
  const usual = ['--identity', name, '--lease-seconds', String(leaseSeconds)];
  const quiet = ['--rest-seconds', '0', '--metrics-port', '0'];
  return [...preload, fromRoot('operator/main.ts'), ...usual, ...quiet, ...more];
}

/** Who leads, and how many times that has changed. */
export async function leaderOf(api: Transport): Promise<{ name: string; transitions: number }> {
  const path = pathOf(kinds.lease, { namespace, name: leaseName });
  try {
    const { spec } = await api.call<Lease>({ method: 'GET', path });
    return { name: spec?.holderIdentity ?? '', transitions: spec?.leaseTransitions ?? 0 };
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) return { name: '', transitions: 0 };
    throw error;
  }
}
