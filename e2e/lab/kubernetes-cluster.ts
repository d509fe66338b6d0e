import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { systemClock } from '../../daemon/clock.ts';
import { silentLog } from '../../daemon/log.ts';
import { until } from '../../daemon/testing/until.ts';
import { kinds } from '../../kube/kinds.ts';
import type { KubeObject, Service } from '../../kube/object.ts';
import { Reflector } from '../../kube/reflector.ts';
import { openTransport, type Transport } from '../../kube/transport.ts';
import { buildImage } from '../kubelet/image.ts';
import { Kubelet } from '../kubelet/kubelet.ts';
import { podNetworks, routePods } from '../kubelet/pod-network.ts';
import { type ControlPlane, openControlPlane } from '../kubernetes/control-plane.ts';
import { apiServerPort, type Flags } from '../kubernetes/flags.ts';
import { formatKubeconfig } from '../kubernetes/kubeconfig.ts';
import { findPrograms } from '../kubernetes/programs.ts';
import { Client } from './client.ts';
import type { Cluster, ClusterOptions } from './cluster.ts';
import type { Host } from './host.ts';
import { openHosts } from './hosts.ts';
import { applyManifests, readManifests } from './manifests.ts';
import { backend, fromRoot } from './programs.ts';
import { openRelay } from './relay.ts';
import { proxyServices } from './service-proxy.ts';

/** How long the parts of a cluster may take to come up on a busy machine. */
const startMs = 90_000;

/** With Kubernetes itself: its control plane on the host `control`, and kubelets and kube-proxies on the nodes. */
export async function openKubernetesCluster({
  controllerFlags = {},
  ...options
}: ClusterOptions & { readonly controllerFlags?: Flags }): Promise<Cluster> {
  await buildImage();
  await using opening = new AsyncDisposableStack();
  const hosts = opening.use(await openHosts(options));
  const { control, nodes, folder } = hosts;
  const plane = opening.use(
    await openControlPlane({
      place: control,
      scheduler: true,
      moreFlags: {
        'kube-apiserver': auditFlags(folder),
        'kube-controller-manager': controllerFlags,
      },
    }),
  );
  const { authority } = plane;
  const { kubectl: kubectlPath } = await findPrograms('kubectl');
  const { cert, key } = plane.admin;
  if (cert === undefined || key === undefined) throw new Error('the admin has no certificate');

  /** The way of this host to the API server, for who is outside of the lab's network. */
  const uplinkOf = async (host: Host): Promise<string> => {
    const socketPath = join(folder, `${host.name}.uplink`);
    const program = fromRoot('e2e/lab/programs/uplink.ts');
    const args = [program, socketPath, control.address, String(apiServerPort)];
    host.install({ name: 'uplink', file: process.execPath, args });
    const relay = opening.use(await openRelay(socketPath));
    return `https://127.0.0.1:${relay.port}`;
  };
  const connect = (access: Parameters<typeof openTransport>[0]): Transport => {
    const transport = openTransport(access);
    opening.defer(() => transport.close());
    return transport;
  };
  const server = await uplinkOf(control);
  const api = connect({ ...plane.admin, server });
  const kubeconfigPath = join(folder, 'kubeconfig');
  const user = { cert, key };
  writeFileSync(kubeconfigPath, formatKubeconfig({ server, ca: authority.cert, user }));
  const client = new Client(hosts.client);

  const ended = new AbortController();
  const kubelets: Kubelet[] = [];
  const running: Promise<void>[] = [];
  for (const host of nodes) {
    const name = `system:node:${host.name}`;
    const own = authority.issue({ name, organization: 'system:nodes' });
    const transport = connect({ server: await uplinkOf(host), ca: authority.cert, ...own });
    kubelets.push(new Kubelet({ api: transport, host, folder }));
  }
  opening.defer(async () => {
    ended.abort();
    await Promise.all(running);
  });
  const closing = opening.move();
  const kubectl = async (args: readonly string[], objects?: readonly KubeObject[]) => {
    const list = { apiVersion: 'v1', kind: 'List', items: objects };
    const input = objects === undefined ? {} : { input: JSON.stringify(list) };
    const { code, stdout, stderr } = await plane.kubectl(args, { ...input, timeoutMs: startMs });
    if (code === 0) return stdout;
    throw new Error(`kubectl ${args.join(' ')}: ${stderr.trim()}`);
  };
  const install = (objects: readonly KubeObject[]) =>
    kubectl(['apply', '--server-side', '--filename=-'], objects);
  const manifests = async (): Promise<readonly KubeObject[]> => {
    const printed = await kubectl(['kustomize', fromRoot('deploy')]);
    return parseAllDocuments(printed).map((document) => document.toJS() as KubeObject);
  };
  const definitions = ['CustomResourceDefinition', 'Namespace'];

  return {
    hosts,
    client,
    api,
    kubeconfigPath,
    kubectl: kubectlPath,
    serviceProxy: 'kube-proxy',
    applyFile: (path) => applyManifests(api, fromRoot(path)),
    async startControlPlane() {
      await routePods([control, ...nodes], nodes);
      // A machine has a way out: without one, nothing is sent to an address of a Service for kube-proxy to change.
      for (const host of nodes) {
        for (const gateway of [control.address, control.address6])
          await host.run('ip', ['route', 'replace', 'default', 'via', gateway]);
      }
      for (const kubelet of kubelets) running.push(kubelet.run(ended.signal));
      for (const host of nodes) {
        host.install(backend(host));
        await startKubeProxy(host, { plane, folder });
      }
      running.push(echo(api, nodes, ended.signal));
      await install(await readManifests(fromRoot('e2e/lab/backend.yaml')));
      await until('the nodes have registered', async () => {
        const names = await kubectl(['get', 'nodes', '--output=name']);
        return names.split('\n').length > nodes.length;
      });
      await kubectl(['wait', '--for=condition=Ready', 'nodes', '--all', '--timeout=60s']);
      await kubectl(['rollout', 'status', 'daemonset/web', '--timeout=60s']);
    },
    async applyDefinitions() {
      await install((await manifests()).filter(({ kind = '' }) => definitions.includes(kind)));
      await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
    },
    async startOperator() {
      await install((await manifests()).filter(({ kind }) => kind !== 'DaemonSet'));
    },
    async restartOperator() {
      const all = ['--namespace=metallb-system', 'deployment'];
      await kubectl(['rollout', 'restart', ...all]);
      await kubectl(['rollout', 'status', ...all, '--timeout=80s']);
    },
    async startSpeakers() {
      await install(await manifests());
    },
    memberAgain: ({ mac }) =>
      client.seeFrames(`ether proto 0x88b5 and ether src ${mac}`, 10, 30_000),
    crashes: () => hosts.all.flatMap((host) => host.crashes),
    logs: (lines) => hosts.all.map((host) => host.logs(lines)).join(''),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** What kube-proxy's nftables mode needs of Linux; before that, it is iptables. */
const nftablesSince = { major: 5, minor: 13 };

function proxyMode(): 'nftables' | 'iptables' {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  const { major: least, minor: then } = nftablesSince;
  return major > least || (major === least && minor >= then) ? 'nftables' : 'iptables';
}

/** The kube-proxy of a node, in the mode that Kubernetes recommends where the kernel has it. */
async function startKubeProxy(
  host: Host,
  { plane, folder }: { plane: ControlPlane; folder: string },
): Promise<void> {
  const { 'kube-proxy': file } = await findPrograms('kube-proxy');
  const user = plane.authority.issue({ name: 'system:kube-proxy' });
  const kubeconfig = join(folder, `${host.name}.kube-proxy.kubeconfig`);
  const { server, authority } = plane;
  writeFileSync(kubeconfig, formatKubeconfig({ server, ca: authority.cert, user }));
  const flags = {
    kubeconfig,
    'hostname-override': host.name,
    'proxy-mode': proxyMode(),
    'cluster-cidr': podNetworks.join(','),
    // The number of connections that the kernel remembers belongs to the whole machine.
    'conntrack-max-per-core': 0,
    'conntrack-min': 0,
  };
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  host.install({ name: 'kube-proxy', file, args });
}

/**
 * Keeps every load-balancer address echoing on its node: a probe of its own kind, which shows where packets arrive
 * whatever kube-proxy thinks of the backends.
 */
async function echo(api: Transport, nodes: readonly Host[], signal: AbortSignal): Promise<void> {
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
  signal.addEventListener('abort', () => changed.resolve());
  while (!signal.aborted) {
    const balanced = [...services.values()].filter(({ spec }) => spec?.type === 'LoadBalancer');
    changed = Promise.withResolvers();
    const bare = balanced.map((service) => ({ ...service, spec: { ...service.spec, ports: [] } }));
    await Promise.all(nodes.map((host) => proxyServices(host, bare)));
    if (!signal.aborted) await changed.promise;
  }
  await reflecting;
}

/** Where the API server writes what the workloads in `metallb-system` asked for, in the folder of a lab. */
export const auditPathOf = (folder: string): string => join(folder, 'audit.log');

/** Who of our own asked for what, and what became of it, a line of JSON each. */
function auditFlags(folder: string): Readonly<Record<string, string>> {
  const policyPath = join(folder, 'audit-policy.json');
  const ours = { level: 'Metadata', userGroups: ['system:serviceaccounts:metallb-system'] };
  const rules = [
    { ...ours, omitStages: ['RequestReceived', 'ResponseStarted'] },
    { level: 'None' },
  ];
  const policy = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules };
  writeFileSync(policyPath, JSON.stringify(policy));
  return { 'audit-policy-file': policyPath, 'audit-log-path': auditPathOf(folder) };
}
