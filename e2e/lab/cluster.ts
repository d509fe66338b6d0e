import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { group, version } from '../../crds/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import { openTransport, type Transport } from '../../kube/transport.ts';
import { Client } from './client.ts';
import { type Hosts, openHosts } from './hosts.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { apply, readManifests } from './manifests.ts';
import { registerNode } from './node-objects.ts';
import {
  apiServer,
  apiServerPort,
  backend,
  fromRoot,
  operator,
  speaker,
  systemNamespace,
} from './programs.ts';
import { openRelay } from './relay.ts';
import { runStandIns } from './stand-ins.ts';
import { until } from './until.ts';

/** A Kubernetes cluster in the lab, as far as a load balancer can see one. */
export type Cluster = AsyncDisposable & {
  readonly hosts: Hosts;
  readonly client: Client;
  readonly api: Transport;
  /** For kubectl on this machine. */
  readonly kubeconfigPath: string;
  /** Applies every object of a file of the project; answers them as the server keeps them. */
  readonly applyFile: (path: string) => Promise<KubeObject[]>;
  readonly applyDefinitions: () => Promise<void>;
  readonly startOperator: () => void;
  readonly startSpeakers: () => void;
  /** Installed programs that ended although nobody ended them. */
  readonly crashes: () => string[];
  /** The last lines of every program's log. */
  readonly logs: (lines: number) => string;
};

/** Hosts, the API server, the nodes' objects and backends; operator and speakers are started by the caller. */
export async function openCluster(options: { nodes: number; lab?: string }): Promise<Cluster> {
  await using opening = new AsyncDisposableStack();
  const hosts = opening.use(await openHosts(options));
  const { control, nodes, folder } = hosts;

  const socketPath = join(folder, 'apiserver');
  control.install(apiServer(control, socketPath));
  const relay = opening.use(await openRelay(socketPath));
  const server = `http://127.0.0.1:${relay.port}`;
  const api = openTransport({ server });
  opening.defer(() => api.close());
  const kubeconfigPath = join(folder, 'kubeconfig');
  writeKubeconfig(kubeconfigPath, server);
  await until('the API server answers', () => api.call({ method: 'GET', path: '/version' }));

  for (const host of nodes) {
    await registerNode(api, host);
    host.install(backend(host));
  }
  const standIns = new AbortController();
  const standing = runStandIns({ api, nodes }, standIns.signal);
  opening.defer(async () => {
    standIns.abort();
    await standing;
  });

  const applyFile = async (path: string): Promise<KubeObject[]> => {
    const applied: KubeObject[] = [];
    for (const object of await readManifests(fromRoot(path)))
      applied.push(await apply(api, object));
    return applied;
  };
  const inside = { server: `http://${control.address}:${apiServerPort}`, folder };
  const closing = opening.move();
  return {
    hosts,
    client: new Client(hosts.client),
    api,
    kubeconfigPath,
    applyFile,
    async applyDefinitions() {
      for await (const path of glob('crds/*.yaml', { cwd: fromRoot('.') })) await applyFile(path);
      const path = `/apis/${group}/${version}/ipaddresspools`;
      await until('the new kinds are served', () => api.call({ method: 'GET', path }));
      const metadata = { name: systemNamespace };
      await apply(api, { apiVersion: 'v1', kind: 'Namespace', metadata });
    },
    startOperator() {
      const path = join(folder, 'operator.kubeconfig');
      writeKubeconfig(path, inside.server);
      control.install(operator(path));
    },
    startSpeakers: () => startSpeakers(hosts, inside),
    crashes: () => hosts.all.flatMap((host) => host.crashes),
    logs: (lines) => hosts.all.map((host) => host.logs(lines)).join(''),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** One speaker per node, all with the same key, each with a folder of its own. */
function startSpeakers(
  { nodes }: Hosts,
  { server, folder }: { server: string; folder: string },
): void {
  const keyPath = join(folder, 'pulse-key');
  writeFileSync(keyPath, randomBytes(32).toString('base64'), { mode: 0o600 });
  for (const host of nodes) {
    const stateFolder = join(folder, `${host.name}.state`);
    mkdirSync(stateFolder, { recursive: true });
    host.install(speaker(host, { server, keyPath, stateFolder }));
  }
}
