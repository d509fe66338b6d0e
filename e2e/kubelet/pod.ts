import type { Condition, KubeObject } from '../../kube/object.ts';

/** What a kubelet reads of a Pod. What it does not know it leaves alone, as the lab's workloads need no more. */
export type Pod = KubeObject & {
  readonly spec: {
    readonly nodeName?: string;
    readonly hostNetwork?: boolean;
    readonly serviceAccountName?: string;
    readonly securityContext?: PodSecurity;
    readonly containers: readonly ContainerSpec[];
    readonly volumes?: readonly Volume[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly startTime?: string;
    readonly conditions?: readonly Condition[];
    readonly podIP?: string;
  };
};

type Identity = {
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly runAsNonRoot?: boolean;
};

type PodSecurity = Identity & { readonly fsGroup?: number };

export type ContainerSecurity = Identity & {
  readonly allowPrivilegeEscalation?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
};

export type ContainerSpec = {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly securityContext?: ContainerSecurity;
  readonly volumeMounts?: readonly VolumeMount[];
  readonly readinessProbe?: Probe;
};

type EnvVar = {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef?: { readonly fieldPath: string } };
};

type VolumeMount = {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
};

export type Probe = {
  readonly httpGet?: {
    readonly path?: string;
    readonly port: number | string;
    readonly host?: string;
  };
  readonly periodSeconds?: number;
};

export type KeyToPath = { readonly key: string; readonly path: string };

/** A volume has a name and one source. */
export type Volume = {
  readonly name: string;
  readonly emptyDir?: object;
  readonly secret?: {
    readonly secretName: string;
    readonly items?: readonly KeyToPath[];
    readonly optional?: boolean;
  };
  readonly configMap?: { readonly name: string; readonly items?: readonly KeyToPath[] };
  readonly projected?: { readonly sources: readonly Projection[] };
};

export type Projection = {
  readonly serviceAccountToken?: {
    readonly path: string;
    readonly expirationSeconds?: number;
    readonly audience?: string;
  };
  readonly configMap?: { readonly name: string; readonly items?: readonly KeyToPath[] };
  readonly downwardAPI?: {
    readonly items: readonly { readonly path: string; readonly fieldRef: { fieldPath: string } }[];
  };
};

/** Where a Pod has come to lie: its own addresses, and the one of its node. */
export type Whereabouts = {
  readonly podAddress: string;
  readonly podAddress6: string;
  readonly hostAddress: string;
};

/** What the downward API says about a Pod. Throws where it is asked for something that the lab does not tell. */
export function fieldOf({ metadata, spec }: Pod, path: string, at?: Whereabouts): string {
  const known: Readonly<Record<string, string | undefined>> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'metadata.uid': metadata.uid,
    'spec.nodeName': spec.nodeName,
    'spec.serviceAccountName': spec.serviceAccountName,
    'status.podIP': at?.podAddress,
    'status.hostIP': at?.hostAddress,
  };
  const found = known[path];
  if (found === undefined) throw new Error(`${metadata.name} asks for the field ${path}`);
  return found;
}
