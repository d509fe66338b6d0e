import { join } from 'node:path';
import type { ProgramName } from './programs.ts';

export type ControlProgram = Exclude<ProgramName, 'kubectl' | 'kube-proxy'>;

type Layout = {
  /** The address everything listens on. */
  readonly address: string;
  /** Keys and certificates. */
  readonly folder: string;
  /** The store of etcd. */
  readonly storeFolder: string;
};

export type Flags = Readonly<Record<string, string | number | boolean>>;

export const apiServerPort = 6443;
const serviceNetworks = '10.96.0.0/16,fd00:10:96::/112';
/** The first address of the Service network: the Service `kubernetes`. */
export const clusterAddress = '10.96.0.1';
const etcdPort = 2379;
const etcdPeerPort = 2380;

/** What the lab's workloads need; no controller for volumes, jobs, certificates or clouds. */
const controllers = [
  'namespace-controller',
  'serviceaccount-controller',
  'serviceaccount-token-controller',
  'root-ca-certificate-publisher-controller',
  'garbage-collector-controller',
  'deployment-controller',
  'replicaset-controller',
  'daemonset-controller',
  'endpointslice-controller',
  'node-lifecycle-controller',
  'taint-eviction-controller',
];

function etcdFlags({ address, storeFolder }: Layout): Flags {
  const clients = `http://${address}:${etcdPort}`;
  const peers = `http://${address}:${etcdPeerPort}`;
  return {
    name: 'etcd',
    'data-dir': storeFolder,
    'listen-client-urls': clients,
    'advertise-client-urls': clients,
    'listen-peer-urls': peers,
    'initial-advertise-peer-urls': peers,
    'initial-cluster': `etcd=${peers}`,
    // It lives as long as the test: it need not survive a power cut of this machine.
    'unsafe-no-fsync': true,
    'log-level': 'warn',
  };
}

function apiServerFlags({ address, folder }: Layout): Flags {
  return {
    'etcd-servers': `http://${address}:${etcdPort}`,
    'bind-address': address,
    'secure-port': apiServerPort,
    'tls-cert-file': join(folder, 'server.crt'),
    'tls-private-key-file': join(folder, 'server.key'),
    'client-ca-file': join(folder, 'ca.crt'),
    'authorization-mode': 'Node,RBAC',
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-signing-key-file': join(folder, 'tokens.key'),
    'service-account-key-file': join(folder, 'tokens.key'),
    'service-cluster-ip-range': serviceNetworks,
    'allow-privileged': true,
    // A loopback address is no endpoint of the Service `kubernetes`: it would be tried in vain for ever.
    ...(address.startsWith('127.') ? { 'endpoint-reconciler-type': 'none' } : {}),
    profiling: false,
  };
}

function controllerFlags({ folder }: Layout): Flags {
  return {
    kubeconfig: join(folder, 'controllers.kubeconfig'),
    controllers: controllers.join(','),
    'use-service-account-credentials': true,
    'service-account-private-key-file': join(folder, 'tokens.key'),
    'root-ca-file': join(folder, 'ca.crt'),
    'leader-elect': false,
    'secure-port': 0,
    profiling: false,
  };
}

function schedulerFlags({ folder }: Layout): Flags {
  return {
    kubeconfig: join(folder, 'scheduler.kubeconfig'),
    'leader-elect': false,
    'secure-port': 0,
    profiling: false,
  };
}

/** The flags each program is started with. */
export const usual: Readonly<Record<ControlProgram, (layout: Layout) => Flags>> = {
  etcd: etcdFlags,
  'kube-apiserver': apiServerFlags,
  'kube-controller-manager': controllerFlags,
  'kube-scheduler': schedulerFlags,
};

/** As they are written on a command line; `more` wins. */
export const flagList = (flags: Flags, more: Flags = {}): string[] =>
  Object.entries({ ...flags, ...more }).map(([name, value]) => `--${name}=${value}`);

/** Further flags for a program, such as a shorter `node-monitor-grace-period`. */
export type MoreFlags = Partial<Readonly<Record<ControlProgram, Flags>>>;
