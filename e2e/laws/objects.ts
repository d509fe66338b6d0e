import type { JsonObject } from '../apiserver/json.ts';
import type { Call } from '../../kube/transport.ts';
import type { Seen, Wish } from './schedule.ts';

/** Where pools count. */
export const system = 'metallb-system';

export const json = (object: object): JsonObject =>
  JSON.parse(JSON.stringify(object)) as JsonObject;

export const patch = (path: string, body: object): Call => ({
  method: 'PATCH',
  path,
  body,
  contentType: 'application/merge-patch+json',
});

/** The object for a POST as well as for a merge patch: what is not wished is null. */
export function serviceOf(name: string, wish: Wish): object {
  const {
    pin,
    pool,
    count,
    sharing,
    partners,
    port = 80,
    policy = 'SingleStack',
    app,
    local,
  } = wish;
  const balanced = wish.type === undefined;
  const notes = {
    loadBalancerIPs: pin,
    'address-pool': pool,
    'address-count': count,
    'allow-shared-ip': sharing,
    'share-with-namespaces': partners,
  };
  const annotations = Object.entries(notes).map(([note, value]) => [
    `metallb.io/${note}`,
    value ?? null,
  ]);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, annotations: Object.fromEntries(annotations), labels: { app: app ?? null } },
    spec: {
      type: wish.type ?? 'LoadBalancer',
      ipFamilyPolicy: policy,
      ports: [{ port }],
      selector: { app: app ?? 'any' },
      externalTrafficPolicy: balanced && local === true ? 'Local' : balanced ? 'Cluster' : null,
    },
  };
}

export type ClusterObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly namespace?: string; readonly name: string };
  readonly spec?: object;
  readonly status?: object;
};

/** A node whose speaker sees this of other machines. Each has one address: who had most of a pool would be another matter. */
export function nodeSeeing(seen: Seen): readonly ClusterObject[] {
  const since = '2026-01-01T00:00:00Z';
  const foreign = Object.entries(seen).map(([address, state], index) => {
    return { address, mac: `52:54:00:00:00:0${index}`, since, state };
  });
  return [
    { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node' } },
    {
      apiVersion: 'mercurylb.io/v1alpha1',
      kind: 'NodeNetwork',
      metadata: { namespace: system, name: 'node' },
      status: { links: [{ name: 'eth0', foreign }] },
    },
  ];
}
