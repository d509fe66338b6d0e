import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { group, version } from '../../crds/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import { openTransport } from '../../kube/transport.ts';
import { Client } from './client.ts';
import type { Cluster, ClusterOptions } from './cluster.ts';
import { type Hosts, openHosts } from './hosts.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { apply, applyManifests, withLastApplied } from './manifests.ts';
import { registerNode } from './node-objects.ts';
import {
  apiServer,
  apiServerPort,
  backend,
  fromRoot,
  operator,
  speaker,
  type SpeakerOptions,
  systemNamespace,
} from './programs.ts';
import { openRelay } from './relay.ts';
import { runStandIns } from './stand-ins.ts';
import { until } from '../../daemon/testing/until.ts';

/** How long a program may take to start on a busy machine. */
const startMs = 20_000;

/** With the API server of `e2e/apiserver`, and stand-ins for what a cluster has beside it. */
export async function openEmbeddedCluster(options: ClusterOptions): Promise<Cluster> {
  await using opening = new AsyncDisposableStack();
  const hosts = opening.use(await openHosts(options));
  const { control, nodes, folder } = hosts;
  const socketPath = join(folder, 'apiserver');
  const relay = opening.use(await openRelay(socketPath));
  const outside = `http://127.0.0.1:${relay.port}`;
  const inside = `http://${control.address}:${apiServerPort}`;
  const kubeconfigPath = join(folder, 'kubeconfig');
  writeKubeconfig(kubeconfigPath, outside);
  const api = openTransport({ server: outside });
  opening.defer(() => api.close());
  const client = new Client(hosts.client);
  const closing = opening.move();

  const applyFile = (path: string): Promise<KubeObject[]> => applyManifests(api, fromRoot(path));
  return {
    hosts,
    client,
    api,
    kubeconfigPath,
    kubectl: 'kubectl',
    serviceProxy: 'stand-in',
    applyFile,
    async startControlPlane() {
      control.install(apiServer(control, socketPath));
      const answers = () => api.call({ method: 'GET', path: '/version' });
      await until('the API server answers', answers, { withinMs: startMs });
      for (const host of nodes) {
        await registerNode(api, host);
        host.install(backend(host));
      }
      const ended = new AbortController();
      const standIns = runStandIns({ api, nodes }, ended.signal);
      closing.defer(async () => {
        ended.abort();
        await standIns;
      });
    },
    async applyDefinitions() {
      for await (const path of glob('crds/*s.yaml', { cwd: fromRoot('.') })) await applyFile(path);
      const path = `/apis/${group}/${version}/ipaddresspools`;
      await until('the new kinds are served', () => api.call({ method: 'GET', path }));
      const metadata = { name: systemNamespace };
      await apply(api, withLastApplied({ apiVersion: 'v1', kind: 'Namespace', metadata }));
    },
    async startOperator() {
      const path = join(folder, 'operator.kubeconfig');
      writeKubeconfig(path, inside);
      control.install(operator(path));
    },
    async restartOperator() {
      await control.running('operator').stop();
      control.start('operator');
    },
    async startSpeakers() {
      const { responder = 'packet', witnessSeconds } = options;
      startSpeakers(hosts, { server: inside, responder, witnessSeconds });
    },
    memberAgain: ({ mac }) =>
      client.seeFrames(`ether proto 0x88b5 and ether src ${mac}`, 10, 15_000),
    crashes: () => hosts.all.flatMap((host) => host.crashes),
    logs: (lines) => hosts.all.map((host) => host.logs(lines)).join(''),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** One speaker per node, all with the same key, each with a folder of its own. */
function startSpeakers(
  { nodes, folder }: Hosts,
  shared: Pick<SpeakerOptions, 'server' | 'responder' | 'witnessSeconds'>,
): void {
  const keyPath = join(folder, 'pulse-key');
  writeFileSync(keyPath, randomBytes(32).toString('base64'), { mode: 0o600 });
  for (const host of nodes) {
    const stateFolder = join(folder, `${host.name}.state`);
    mkdirSync(stateFolder, { recursive: true });
    host.install(speaker(host, { ...shared, keyPath, stateFolder }));
  }
}
