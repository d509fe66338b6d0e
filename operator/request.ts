import { findAnnotation, readAnnotation } from '../crds/names.ts';
import { quote } from '../crds/problem.ts';
import { keyOf, type Service } from '../kube/object.ts';
import {
  type Address,
  type Family,
  formatAddress,
  parseAddress,
  sameAddress,
} from '../net/address.ts';
import { unusableAs } from '../net/unusable.ts';
import type { Terms } from './terms.ts';
import { type Refusal, refusal } from './reasons.ts';

/** What a Service asks for, read and checked. */
export type Request = {
  /** `namespace/name`. */
  readonly service: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** One or two, the preferred one first. */
  readonly families: readonly Family[];
  /** How many addresses of each family; `wanted` says it by itself. */
  readonly count: number;
  /** PreferDualStack: one of the two families will do. */
  readonly secondOptional: boolean;
  /** Exactly these addresses; empty: any. */
  readonly wanted: readonly Address[];
  /** Only from this pool; undefined: from any that is meant for the Service. */
  readonly pool: string | undefined;
  /** externalTrafficPolicy Local: only nodes that run an endpoint of it serve it. */
  readonly local: boolean;
  readonly terms: Terms;
};

export type Reading =
  /** Not a LoadBalancer, or another controller's. */
  | { readonly kind: 'foreign' }
  /** The API server has not given it a cluster address yet, or it is about to go. */
  | { readonly kind: 'unready' }
  /** `request` is what it asks for without its fault: nothing in particular. */
  | { readonly kind: 'faulty'; readonly refusal: Refusal; readonly request: Request }
  | { readonly kind: 'request'; readonly request: Request };

/** Whether a Service is one of ours: a LoadBalancer whose class is the one we were started for. */
export const isOurs = ({ spec }: Service, lbClass: string | undefined): boolean =>
  spec?.type === 'LoadBalancer' && (spec.loadBalancerClass ?? undefined) === lbClass;

/** Reads what a Service asks for. Whatever stands in its fields, this never throws. */
export function readRequest(service: Service, lbClass: string | undefined): Reading {
  if (!isOurs(service, lbClass)) return { kind: 'foreign' };
  if (service.metadata.deletionTimestamp !== undefined) return { kind: 'unready' };
  const families = readFamilies(service);
  if (families.length === 0) return { kind: 'unready' };
  const { namespace = '', labels = {}, annotations } = service.metadata;
  const policy = service.spec?.ipFamilyPolicy;
  const request: Request = {
    service: keyOf(service),
    namespace,
    labels,
    families,
    count: 1,
    secondOptional: policy === 'PreferDualStack' && families.length === 2,
    wanted: [],
    pool: readAnnotation(annotations, 'address-pool')?.trim() || undefined,
    local: service.spec?.externalTrafficPolicy === 'Local',
    terms: readTerms(service),
  };
  if (policy === 'RequireDualStack' && families.length < 2) {
    const detail = `spec.ipFamilyPolicy is RequireDualStack, and the Service has only an ${families.join()} cluster address`;
    return { kind: 'faulty', request, refusal: refusal('ClusterAddressMissing', detail) };
  }
  const wanted = readWanted(service, families);
  if ('reason' in wanted) return { kind: 'faulty', request, refusal: wanted };
  const count = readCount(service);
  if (typeof count !== 'number') return { kind: 'faulty', request, refusal: count };
  return { kind: 'request', request: { ...request, wanted, count } };
}

/** The families of the cluster addresses; spec.ipFamilies says which of two is preferred. */
function readFamilies({ spec }: Service): readonly Family[] {
  const texts = spec?.clusterIPs ?? (spec?.clusterIP === undefined ? [] : [spec.clusterIP]);
  const present = texts.flatMap((text) => parseAddress(text)?.family ?? []);
  const ordered = (spec?.ipFamilies ?? []).flatMap((name) =>
    present.filter((family) => family === name),
  );
  return [...new Set([...ordered, ...present])];
}

/** The addresses that the Service asks for by value, from whichever field it uses. */
function readWanted(
  { metadata, spec }: Service,
  families: readonly Family[],
): readonly Address[] | Refusal {
  const annotation = findAnnotation(metadata.annotations, 'loadBalancerIPs');
  const inAnnotation = annotation?.value.trim() ?? '';
  const inSpec = spec?.loadBalancerIP?.trim() ?? '';
  if (inAnnotation !== '' && inSpec !== '') {
    const detail = `the annotation ${annotation?.key} asks for ${quote(inAnnotation)} and spec.loadBalancerIP for ${quote(inSpec)}`;
    return refusal('AddressAskedTwice', detail);
  }
  const field = inSpec === '' ? `the annotation ${annotation?.key}` : 'spec.loadBalancerIP';
  const text = inSpec === '' ? inAnnotation : inSpec;
  if (text === '') return [];
  const wanted: Address[] = [];
  const parts = text.split(',');
  const most = families.length * mostPerFamily;
  if (parts.length > most) {
    const detail = `${field} asks for ${parts.length} addresses, and a Service may have ${most}`;
    return refusal('CountUnreadable', detail);
  }
  for (const part of parts) {
    const address = parseAddress(part.trim());
    if (address === undefined) {
      return refusal('AddressUnreadable', `${field} says ${quote(part)}, which is no IP address`);
    }
    const what = unusableAs(address);
    if (what !== undefined) {
      const detail = `${field} asks for ${formatAddress(address)}, which no Service can have (${what})`;
      return refusal('AddressUnusable', detail);
    }
    if (!wanted.some((other) => sameAddress(other, address))) wanted.push(address);
  }
  const asked = wanted.map(({ family }) => family);
  const strange = asked.some((family) => !families.includes(family));
  if (strange || families.some((family) => !asked.includes(family))) {
    const detail = `${field} asks for ${quote(text)}, and the Service needs ${families.join(' and ')}`;
    return refusal('FamilyMismatch', detail);
  }
  return wanted;
}

/** More than this behind one name helps nobody. */
const mostPerFamily = 16;

function readCount({ metadata }: Service): number | Refusal {
  const annotation = findAnnotation(metadata.annotations, 'address-count');
  const text = annotation?.value.trim() ?? '';
  if (text === '') return 1;
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= mostPerFamily) return count;
  const detail = `the annotation ${annotation?.key} says ${quote(text)}, which is no number from 1 to ${mostPerFamily}`;
  return refusal('CountUnreadable', detail);
}

/** The side of a Service that decides with whom it may share an address. */
export function readTerms({ metadata, spec }: Service): Terms {
  const local = spec?.externalTrafficPolicy === 'Local';
  const selector = Object.entries(spec?.selector ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    ports: (spec?.ports ?? []).map(({ protocol = 'TCP', port }) => `${protocol}/${port}`),
    sharing: readAnnotation(metadata.annotations, 'allow-shared-ip') ?? '',
    namespaces: namesIn(readAnnotation(metadata.annotations, 'share-with-namespaces') ?? ''),
    backend: local && selector.length > 0 ? JSON.stringify(selector) : '',
  };
}

const namesIn = (text: string): readonly string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

/** The addresses that the status of a Service names; whatever else stands there is passed over. */
export function statusAddresses({ status }: Service): readonly Address[] {
  const ingress = status?.loadBalancer?.ingress ?? [];
  return ingress.flatMap(({ ip }) => (ip === undefined ? [] : (parseAddress(ip) ?? [])));
}

/** Whether there are addresses for speakers to announce: the Service is one of ours and shows some that are not nodes'. */
export const isAnnounced = (service: Service | undefined, lbClass: string | undefined): boolean =>
  service !== undefined &&
  isOurs(service, lbClass) &&
  statusAddresses(service).length > 0 &&
  readAnnotation(service.metadata.annotations, 'has-node-addresses') === undefined;
