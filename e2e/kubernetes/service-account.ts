import { type Kind, kinds, pathOf } from '../../kube/kinds.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { Transport } from '../../kube/transport.ts';
import { create, remove } from '../../kube/write.ts';

const core = (plural: string, kind: string): Kind => ({ ...kinds.pod, plural, kind });
const secret = core('secrets', 'Secret');
const serviceAccount = core('serviceaccounts', 'ServiceAccount');
const roleBinding: Kind = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'clusterrolebindings',
  kind: 'ClusterRoleBinding',
  namespaced: false,
};

/** A service account with all rights, whose tokens live as long as a Secret each: to be ended at will. */
export class ServiceAccount {
  readonly #api: Transport;
  readonly #at: { readonly namespace: string; readonly name: string };
  #issued = 0;

  static async create(
    api: Transport,
    at: { readonly namespace: string; readonly name: string },
  ): Promise<ServiceAccount> {
    await create(api, serviceAccount, { metadata: at });
    await create(api, roleBinding, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: at.name },
      roleRef: {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'ClusterRole',
        name: 'cluster-admin',
      },
      subjects: [{ kind: 'ServiceAccount', ...at }],
    } as KubeObject);
    return new ServiceAccount(api, at);
  }

  private constructor(api: Transport, at: { readonly namespace: string; readonly name: string }) {
    this.#api = api;
    this.#at = at;
  }

  /** A token, and how to end it before its time. The server believes what it has seen for ten seconds more. */
  async issue(): Promise<{ readonly token: string; readonly end: () => Promise<void> }> {
    const { namespace } = this.#at;
    const name = `${this.#at.name}-${this.#issued++}`;
    const bound = await create<KubeObject>(this.#api, secret, { metadata: { namespace, name } });
    const { uid } = bound.metadata;
    const request = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        expirationSeconds: 3_600,
        boundObjectRef: { apiVersion: 'v1', kind: 'Secret', name, uid },
      },
    };
    const path = `${pathOf(serviceAccount, this.#at)}/token`;
    const answer = await this.#api.call<{ readonly status: { readonly token: string } }>({
      method: 'POST',
      path,
      body: request,
    });
    return { token: answer.status.token, end: () => remove(this.#api, secret, bound) };
  }
}

const flow = (plural: string, kind: string): Kind => ({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  plural,
  kind,
  namespaced: false,
});
const level = flow('prioritylevelconfigurations', 'PriorityLevelConfiguration');
const schema = flow('flowschemas', 'FlowSchema');

/** Has the server answer 429 to all but one request at a time of a service account, until the answer is called. */
export async function choke(
  api: Transport,
  at: { readonly namespace: string; readonly name: string },
): Promise<() => Promise<void>> {
  const metadata = { name: `choke-${at.name}` };
  const limited = { nominalConcurrencyShares: 0, lendablePercent: 0, borrowingLimitPercent: 0 };
  await create(api, level, {
    metadata,
    spec: { type: 'Limited', limited: { ...limited, limitResponse: { type: 'Reject' } } },
  } as KubeObject);
  const everything = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] };
  await create(api, schema, {
    metadata,
    spec: {
      matchingPrecedence: 2,
      priorityLevelConfiguration: metadata,
      rules: [
        {
          subjects: [{ kind: 'ServiceAccount', serviceAccount: at }],
          resourceRules: [{ ...everything, namespaces: ['*'], clusterScope: true }],
        },
      ],
    },
  } as KubeObject);
  return async () => {
    for (const kind of [schema, level]) await remove(api, kind, { metadata });
  };
}
