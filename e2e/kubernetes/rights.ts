import { readFileSync } from 'node:fs';
import type { KubeObject } from '../../kube/object.ts';

/** One thing that somebody may do or did: `system:serviceaccount:… patch services/status`. */
export type Right = {
  readonly account: string;
  readonly verb: string;
  /** `pods`, `pods/status`, `ipaddresspools.metallb.io`. */
  readonly resource: string;
  /** Where a role, not a cluster role, gives it. */
  readonly namespace: string | undefined;
  /** Where only objects of this name are meant. */
  readonly name: string | undefined;
};

type Deed = Omit<Right, 'namespace' | 'name'> & {
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
};

type Rule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
};

type Role = KubeObject & { readonly rules: readonly Rule[] };

type Binding = KubeObject & {
  readonly roleRef: { readonly kind: string; readonly name: string };
  readonly subjects: readonly { readonly namespace: string; readonly name: string }[];
};

/** Every single right that roles and their bindings give, one by one. */
export function rightsIn(objects: readonly KubeObject[]): readonly Right[] {
  const bindings = objects.filter(({ kind }) => kind?.endsWith('RoleBinding')) as Binding[];
  return bindings.flatMap(({ metadata, roleRef, subjects }) => {
    const { namespace } = metadata;
    const role = objects.find(
      (one): one is Role =>
        one.kind === roleRef.kind &&
        one.metadata.name === roleRef.name &&
        (roleRef.kind === 'ClusterRole' || one.metadata.namespace === namespace),
    );
    if (role === undefined)
      throw new Error(`${metadata.name} binds ${roleRef.name}: there is none`);
    const accounts = subjects.map((one) => `system:serviceaccount:${one.namespace}:${one.name}`);
    return accounts.flatMap((account) =>
      role.rules.flatMap((rule) => spread(rule).map((one) => ({ ...one, account, namespace }))),
    );
  });
}

function spread({ apiGroups, resources, verbs, resourceNames = [] }: Rule) {
  const names = resourceNames.length === 0 ? [undefined] : resourceNames;
  return apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      verbs.flatMap((verb) =>
        names.map((name) => ({ verb, name, resource: nameOf(group, resource) })),
      ),
    ),
  );
}

/** `servicel2statuses/status` of `metallb.io` is `servicel2statuses.metallb.io/status`. */
function nameOf(group: string, resource: string): string {
  const [plural, ...subresource] = resource.split('/');
  return [group === '' ? plural : `${plural}.${group}`, ...subresource].join('/');
}

/** What an API server's audit log, a JSON event a line, says was done. */
export function readDeeds(path: string): readonly Deed[] {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.flatMap((line) => {
    const { user, verb, objectRef, responseStatus } = JSON.parse(line);
    if (objectRef === undefined) return [];
    const { apiGroup = '', resource, subresource, namespace = '', name = '' } = objectRef;
    const full = subresource === undefined ? resource : `${resource}/${subresource}`;
    const deed = { account: user.username, verb, resource: nameOf(apiGroup, full) };
    return [{ ...deed, namespace, name, code: responseStatus?.code ?? 0 }];
  });
}

/** Whether it takes this right to do that. */
export const needs = (deed: Deed, right: Right): boolean =>
  deed.account === right.account &&
  deed.verb === right.verb &&
  deed.resource === right.resource &&
  (right.namespace === undefined || right.namespace === deed.namespace) &&
  (right.name === undefined || right.name === deed.name);

export const formatRight = ({ account, verb, resource, namespace, name }: Right | Deed): string =>
  [account.replace(/.*:/, ''), verb, resource, name, namespace && `in ${namespace}`]
    .filter(Boolean)
    .join(' ');
