import type { JsonObject } from '../apiserver/json.ts';
import type { Call } from '../../kube/transport.ts';
import type { Wish } from './schedule.ts';

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
