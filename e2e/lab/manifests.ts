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

/**
 * Applies every object of a YAML file; answers them as the server keeps them. Each bears what was applied, as after
 * `kubectl apply`, which otherwise warns when it is used on the same file.
 */
export async function applyManifests(api: Transport, path: string): Promise<KubeObject[]> {
  const applied: KubeObject[] = [];
  for (const object of await readManifests(path))
    applied.push(await apply(api, withLastApplied(object)));
  return applied;
}

/** https://kubernetes.io/docs/reference/labels-annotations-taints/#kubectl-kubernetes-io-last-applied-configuration */
export function withLastApplied(object: KubeObject): KubeObject {
  const { annotations = {}, namespace, ...metadata } = object.metadata;
  const where = kindOf(object).namespaced ? { namespace: namespace ?? 'default' } : {};
  const said = { ...object, metadata: { ...metadata, ...where, annotations } };
  const name = 'kubectl.kubernetes.io/last-applied-configuration';
  const lastApplied = { [name]: `${JSON.stringify(said, inOrder)}\n` };
  return {
    ...said,
    metadata: { ...said.metadata, annotations: { ...annotations, ...lastApplied } },
  };
}

/** For JSON as Go writes it: the keys of a map in the order of their letters. */
const inOrder = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value;

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
