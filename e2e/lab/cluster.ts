import type { KubeObject } from '../../kube/object.ts';
import type { Transport } from '../../kube/transport.ts';
import type { Client } from './client.ts';
import type { Host } from './host.ts';
import type { Hosts } from './hosts.ts';

/** A Kubernetes cluster in the lab, as far as a load balancer can see one. */
export type Cluster = AsyncDisposable & {
  readonly hosts: Hosts;
  readonly client: Client;
  readonly api: Transport;
  /** For kubectl on this machine. */
  readonly kubeconfigPath: string;
  /** The program to run; of this machine, where it has one. */
  readonly kubectl: string;
  /** What leads a packet from a node to a backend: its own one, or any. */
  readonly serviceProxy: 'stand-in' | 'kube-proxy';
  /** Applies every object of a file of the project; answers them as the server keeps them. */
  readonly applyFile: (path: string) => Promise<KubeObject[]>;
  /** The API server, the nodes and their backends, and what goes with them in a cluster. */
  readonly startControlPlane: () => Promise<void>;
  /** The CRDs, and the namespace their objects live in. */
  readonly applyDefinitions: () => Promise<void>;
  readonly startOperator: () => Promise<void>;
  /** Resolves when the new one runs; who waits for what it does waits longer. */
  readonly restartOperator: () => Promise<void>;
  readonly startSpeakers: () => Promise<void>;
  /** Resolves when the speaker of this node has been pulsing for a second, as seen on the wire. */
  readonly memberAgain: (host: Host) => Promise<void>;
  /** Installed programs that ended although nobody ended them. */
  readonly crashes: () => string[];
  /** The last lines of every program's log. */
  readonly logs: (lines: number) => string;
};

/** Who answers questions on a node; as installed, with NET_RAW alone, it is the packet socket. */
export const responders = ['packet', 'kernel'] as const;
export type LabResponder = (typeof responders)[number];

export type ClusterOptions = {
  readonly nodes: number;
  readonly lab?: string;
  /** Of speakers that are started as they are; those in a Pod go by its rights. */
  readonly responder?: LabResponder;
  /** The same: how often they ask for each other's addresses. */
  readonly witnessSeconds?: number;
};

/** What can serve the API of a lab: a double of our own in one process, or Kubernetes itself. */
export const apis = ['embedded', 'kubernetes'] as const;
export type Api = (typeof apis)[number];

/** Hosts with nothing on them yet, and the way to where the API server will listen. */
export async function openCluster({
  api,
  ...options
}: ClusterOptions & { readonly api: Api }): Promise<Cluster> {
  // Loaded when it is wanted: neither has to be in order for the other to work.
  switch (api) {
    case 'embedded':
      return (await import('./embedded-cluster.ts')).openEmbeddedCluster(options);
    case 'kubernetes':
      return (await import('./kubernetes-cluster.ts')).openKubernetesCluster(options);
  }
}
