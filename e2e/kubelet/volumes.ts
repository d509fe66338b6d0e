import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Kind, kinds, pathOf } from '../../kube/kinds.ts';
import type { KubeObject } from '../../kube/object.ts';
import { ApiError, type Transport } from '../../kube/transport.ts';
import { fieldOf, type KeyToPath, type Pod, type Projection, type Volume } from './pod.ts';

/** Where the volumes of a Pod come from and go to. */
type Storage = {
  /** As the kubelet of this node. */
  readonly api: Transport;
  /** The Pod's own folder. */
  readonly folder: string;
  /** Who may read a token. */
  readonly user: number;
};

const secret: Kind = {
  group: '',
  version: 'v1',
  plural: 'secrets',
  kind: 'Secret',
  namespaced: true,
};
const configMap: Kind = { ...secret, plural: 'configmaps', kind: 'ConfigMap' };

/** Prepares a volume; answers its path on this machine. Throws where a Secret or ConfigMap is not there (yet). */
export async function prepareVolume(pod: Pod, volume: Volume, storage: Storage): Promise<string> {
  const path = join(storage.folder, 'volumes', volume.name);
  mkdirSync(path, { recursive: true });
  const { namespace } = pod.metadata;
  const write = (file: string, content: string | Buffer): void => {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), content);
    chmodSync(join(path, file), 0o644);
  };
  if (volume.emptyDir !== undefined) chmodSync(path, 0o777);
  else if (volume.secret !== undefined) {
    const { secretName: name, items, optional = false } = volume.secret;
    const found = await read<{ data?: Record<string, string> }>(storage.api, secret, {
      namespace,
      name,
    }).catch((error: unknown) => {
      if (optional && error instanceof ApiError && error.code === 404) return undefined;
      throw error;
    });
    for (const { key, path: file } of chosen(items, found?.data ?? {}))
      write(file, Buffer.from(found?.data?.[key] ?? '', 'base64'));
  } else if (volume.configMap !== undefined) {
    await writeConfigMap(volume.configMap, { namespace, storage, write });
  } else {
    for (const source of volume.projected?.sources ?? [])
      await project(pod, source, { storage, write, path });
  }
  return path;
}

type Writing = { readonly storage: Storage; readonly write: (file: string, text: string) => void };

async function project(
  pod: Pod,
  { serviceAccountToken, configMap: map, downwardAPI }: Projection,
  { storage, write, path }: Writing & { readonly path: string },
): Promise<void> {
  if (serviceAccountToken !== undefined) {
    const { path: file, ...wanted } = serviceAccountToken;
    write(file, await requestToken(storage.api, pod, wanted));
    chownSync(join(path, file), storage.user, storage.user);
    chmodSync(join(path, file), 0o600);
  }
  if (map !== undefined) {
    await writeConfigMap(map, { namespace: pod.metadata.namespace, storage, write });
  }
  for (const { path: file, fieldRef } of downwardAPI?.items ?? [])
    write(file, fieldOf(pod, fieldRef.fieldPath));
}

async function writeConfigMap(
  { name, items }: { readonly name: string; readonly items?: readonly KeyToPath[] },
  { namespace, storage, write }: Writing & { readonly namespace: string | undefined },
): Promise<void> {
  const { data = {} } = await read<{ data?: Record<string, string> }>(storage.api, configMap, {
    namespace,
    name,
  });
  for (const { key, path } of chosen(items, data)) write(path, data[key] ?? '');
}

/** A token that is good as long as this Pod is there. */
async function requestToken(
  api: Transport,
  { metadata, spec }: Pod,
  { audience, expirationSeconds = 3600 }: { audience?: string; expirationSeconds?: number },
): Promise<string> {
  const { namespace, name, uid } = metadata;
  const account = { namespace, name: spec.serviceAccountName ?? 'default' };
  const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name, uid };
  const audiences = audience === undefined ? [] : [audience];
  const path = `${pathOf({ ...secret, plural: 'serviceaccounts' }, account)}/token`;
  const { status } = await api.call<{ status: { token: string } }>({
    method: 'POST',
    path,
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences, expirationSeconds, boundObjectRef },
    },
  });
  return status.token;
}

const chosen = (items: readonly KeyToPath[] | undefined, data: object): readonly KeyToPath[] =>
  items ?? Object.keys(data).map((key) => ({ key, path: key }));

const read = <T>(
  api: Transport,
  kind: Kind,
  at: { namespace: string | undefined; name: string },
): Promise<T & KubeObject> => api.call<T & KubeObject>({ method: 'GET', path: pathOf(kind, at) });

export const podPath = ({ metadata }: Pod, subresource?: string): string =>
  pathOf(kinds.pod, { ...metadata, subresource });
