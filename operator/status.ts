import { annotationPrefixes } from '../crds/names.ts';
import type { Condition, Ingress, Service } from '../kube/object.ts';
import { type Address, formatAddress, sameAddress } from '../net/address.ts';
import { assignedReason, explainRefusal, type Refusal } from './reasons.ts';
import { statusAddresses } from './request.ts';

/**
 * True: the Service has the addresses that it asks for. False: it has not; the reason and the
 * message say why, what it has instead, and what to do.
 */
export const conditionType = 'metallb.io/AddressAsRequested';

/** How a Service stands after a decision. */
export type Standing = {
  readonly addresses: readonly Address[];
  readonly pool: string;
  /** They are those of nodes. */
  readonly onNodes?: true | undefined;
  readonly refusal?: Refusal | undefined;
  /** What has driven it away from the addresses that it had. */
  readonly evades?: Refusal | undefined;
};

/** A JSON merge patch (RFC 7386) of a Service's status: only what changes, `null` removes. */
export type StatusPatch = {
  readonly metadata: {
    /** The version that was judged: written only if the Service is still that one. */
    readonly resourceVersion: string | undefined;
    readonly annotations?: Readonly<Record<string, string | null>>;
  };
  readonly status?: {
    readonly loadBalancer?: { readonly ingress: readonly Ingress[] | null };
    readonly conditions?: readonly Condition[];
  };
};

/** What somebody should be told: an event on the Service, and the same word in the log. */
export type News = {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
};

export type Change = { readonly patch: StatusPatch; readonly news?: News };

/**
 * What has to be written on a Service for it to show how it stands; undefined when it shows it
 * already. A Service that merely has what it asks for gets no condition for that alone, so that
 * taking over a running cluster writes nothing.
 */
export function changeStatus(service: Service, standing: Standing, now: Date): Change | undefined {
  const { addresses } = standing;
  const moved = !showsExactly(service, addresses);
  const annotations = changeAnnotations(service, standing);
  const before = service.status?.conditions?.find(({ type }) => type === conditionType);
  const wanted = before !== undefined || moved || standing.refusal !== undefined;
  const condition = wanted ? judge(standing, before, now) : undefined;
  const told = isSameJudgement(condition, before);
  if (!moved && annotations === undefined && told) return undefined;
  const others = (service.status?.conditions ?? []).filter(({ type }) => type !== conditionType);
  const patch: StatusPatch = {
    metadata: {
      resourceVersion: service.metadata.resourceVersion,
      ...(annotations === undefined ? {} : { annotations }),
    },
    status: {
      ...(moved ? { loadBalancer: { ingress: toIngress(addresses) } } : {}),
      ...(told || condition === undefined ? {} : { conditions: [...others, condition] }),
    },
  };
  if (condition === undefined || (told && !moved)) return { patch };
  return { patch, news: report(standing, condition) };
}

function report({ refusal, evades }: Standing, { reason = '', message = '' }: Condition): News {
  if (refusal !== undefined) return { type: 'Warning', reason, message };
  if (evades === undefined) return { type: 'Normal', reason, message };
  const moved = `${evades.detail}, so the Service moves: it has ${message} now.`;
  return { type: 'Warning', reason: evades.reason, message: moved };
}

/** Changes nothing, and is refused where the Service is not the one any more that was judged. */
export const confirm = ({ metadata }: Service): StatusPatch => ({
  metadata: { resourceVersion: metadata.resourceVersion },
});

/** Takes everything of ours off a Service that is no LoadBalancer any more. */
export function clearStatus(service: Service): StatusPatch | undefined {
  const { metadata, status } = service;
  const conditions = (status?.conditions ?? []).filter(({ type }) => type !== conditionType);
  const conditioned = conditions.length < (status?.conditions ?? []).length;
  const annotations = changeAnnotations(service, { addresses: [], pool: '' });
  const addressed = (status?.loadBalancer?.ingress ?? []).length > 0;
  if (annotations === undefined && !conditioned) return undefined;
  return {
    metadata: {
      resourceVersion: metadata.resourceVersion,
      ...(annotations === undefined ? {} : { annotations }),
    },
    status: {
      ...(addressed ? { loadBalancer: { ingress: null } } : {}),
      ...(conditioned ? { conditions } : {}),
    },
  };
}

/** The order does not matter: a pair that was written the other way round stays as it is. */
function showsExactly(service: Service, addresses: readonly Address[]): boolean {
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  const shown = statusAddresses(service);
  return (
    ingress.length === addresses.length &&
    addresses.every((address) => shown.some((other) => sameAddress(other, address)))
  );
}

const toIngress = (addresses: readonly Address[]): readonly Ingress[] | null =>
  addresses.length === 0 ? null : addresses.map((address) => ({ ip: formatAddress(address) }));

type AnnotationChange = Readonly<Record<string, string | null>>;

/** What is written beside the addresses on where they are from; undefined: it stands there already. */
function changeAnnotations(
  { metadata }: Service,
  { addresses, pool, onNodes }: Standing,
): AnnotationChange | undefined {
  const held = addresses.length > 0;
  const wanted = {
    // A pool that is not known (it is gone) is no news about what the Service has.
    ...(held && pool === '' ? {} : { 'ip-allocated-from-pool': held ? pool : null }),
    'has-node-addresses': held && onNodes === true ? 'true' : null,
  } as const;
  const change: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(wanted)) {
    const key = `${annotationPrefixes[0]}/${name}`;
    if ((metadata.annotations?.[key] ?? null) !== value) change[key] = value;
  }
  return Object.keys(change).length === 0 ? undefined : change;
}

function judge(standing: Standing, before: Condition | undefined, now: Date): Condition {
  const { addresses, pool, refusal } = standing;
  const texts = addresses.map(formatAddress).join(' and ');
  const meanwhile = addresses.length === 0 ? undefined : `it keeps ${texts}`;
  const status = refusal === undefined ? 'True' : 'False';
  const since = before?.status === status ? before.lastTransitionTime : undefined;
  return {
    type: conditionType,
    status,
    reason: refusal?.reason ?? assignedReason,
    message:
      refusal === undefined ? `${texts} from pool ${pool}` : explainRefusal(refusal, meanwhile),
    lastTransitionTime: since ?? now.toISOString().replace(/\.\d+Z$/, 'Z'),
  };
}

const isSameJudgement = (a: Condition | undefined, b: Condition | undefined): boolean =>
  a?.status === b?.status && a?.reason === b?.reason && a?.message === b?.message;
