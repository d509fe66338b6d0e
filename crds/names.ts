/** Where an API kind is served; the shape that the API client takes. */
export type ApiKind = {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
};

export const group = 'metallb.io';
export const version = 'v1beta1';

/** Pools and advertisements are read from one namespace only, as MetalLB does. */
export const defaultNamespace = 'metallb-system';

export const ipAddressPoolKind: ApiKind = ours('ipaddresspools', 'IPAddressPool');
export const l2AdvertisementKind: ApiKind = ours('l2advertisements', 'L2Advertisement');
export const serviceL2StatusKind: ApiKind = ours('servicel2statuses', 'ServiceL2Status');

/** MetalLB has no such kind: it lies in a group of our own. */
export const nodeNetworkKind: ApiKind = {
  group: 'mercurylb.io',
  version: 'v1alpha1',
  plural: 'nodenetworks',
  kind: 'NodeNetwork',
  namespaced: true,
};

function ours(plural: string, kind: string): ApiKind {
  return { group, version, plural, kind, namespaced: true };
}

/** What a Service may carry, without the prefix. The last two are written by the operator. */
export type AnnotationName =
  | 'address-pool'
  | 'loadBalancerIPs'
  | 'allow-shared-ip'
  | 'share-with-namespaces'
  | 'address-count'
  | 'ip-allocated-from-pool'
  /** Nobody announces the addresses of this Service: they are, or were, those of nodes. */
  | 'has-node-addresses';

/** In the order in which they win; the second is MetalLB's old spelling, still in many charts. */
export const annotationPrefixes = ['metallb.io', 'metallb.universe.tf'] as const;

export const annotationKey = (name: AnnotationName): string => `${annotationPrefixes[0]}/${name}`;

type Annotations = Readonly<Record<string, string>>;

/** The annotation under whichever prefix it is written, with its full key for messages. */
export function findAnnotation(
  annotations: Annotations | undefined,
  name: AnnotationName,
): { readonly key: string; readonly value: string } | undefined {
  for (const prefix of annotationPrefixes) {
    const key = `${prefix}/${name}`;
    const value = annotations?.[key];
    if (typeof value === 'string') return { key, value };
  }
  return undefined;
}

export const readAnnotation = (
  annotations: Annotations | undefined,
  name: AnnotationName,
): string | undefined => findAnnotation(annotations, name)?.value;
