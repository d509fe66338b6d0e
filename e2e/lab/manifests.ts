import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import { ipAddressPoolKind, l2AdvertisementKind, serviceL2StatusKind } from '../../crds/names.ts';
import { apiVersionOf, type Kind, kinds } from '../../kube/kinds.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { Transport } from '../../kube/transport.ts';
import { apply as applyPatch } from '../../kube/write.ts';

export const customResourceDefinition: Kind = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};

const known: readonly Kind[] = [
  ...Object.values(kinds),
  customResourceDefinition,
  ipAddressPoolKind,
  l2AdvertisementKind,
  serviceL2StatusKind,
];

/** Every object of a YAML file, in its order. */
export async function readManifests(path: string): Promise<KubeObject[]> {
  const documents = parseAllDocuments(await readFile(path, 'utf8'));
  return documents.flatMap((document) => {
    const [fault] = document.errors;
    if (fault !== undefined) throw new Error(`reading ${path}`, { cause: fault });
    return (document.toJS() as KubeObject | null) ?? [];
  });
}

/** As `kubectl apply --server-side` does it; answers the object as the server keeps it. */
export function apply<T extends KubeObject>(api: Transport, object: T): Promise<T> {
  const kind = kindOf(object);
  const { name, namespace = 'default' } = object.metadata;
  return applyPatch(api, { kind, namespace, name }, { object, fieldManager: 'lab' });
}

export function kindOf({ apiVersion, kind, metadata }: KubeObject): Kind {
  const found = known.find((one) => apiVersionOf(one) === apiVersion && one.kind === kind);
  if (found === undefined)
    throw new Error(
      `${metadata.name} has a kind that the lab does not know: ${apiVersion} ${kind}`,
    );
  return found;
}
