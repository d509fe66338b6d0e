/** What an API path is made of. `group` is empty for the core API. */
export type Kind = {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
};

export const kinds = {
  service: core('services', 'Service', true),
  node: core('nodes', 'Node', false),
  namespace: core('namespaces', 'Namespace', false),
  pod: core('pods', 'Pod', true),
  secret: core('secrets', 'Secret', true),
  event: core('events', 'Event', true),
  endpointSlice: {
    group: 'discovery.k8s.io',
    version: 'v1',
    plural: 'endpointslices',
    kind: 'EndpointSlice',
    namespaced: true,
  },
  serviceCidr: {
    group: 'networking.k8s.io',
    version: 'v1',
    plural: 'servicecidrs',
    kind: 'ServiceCIDR',
    namespaced: false,
  },
  lease: {
    group: 'coordination.k8s.io',
    version: 'v1',
    plural: 'leases',
    kind: 'Lease',
    namespaced: true,
  },
} as const satisfies Record<string, Kind>;

/** `v1`, or `group/v1`: what an object of this kind carries in its `apiVersion`. */
export function apiVersionOf(kind: Kind): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
}

type Place = {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
};

/**
 * The path of a collection, or of one object in it. A namespaced kind without a namespace means the collection
 * across all namespaces; a namespace is ignored where the kind has none, so that an object's own metadata can be
 * passed as it is.
 */
export function pathOf(kind: Kind, at: Place = {}): string {
  if (kind.namespaced && at.name !== undefined && at.namespace === undefined)
    throw new Error(`the path of ${kind.kind} ${at.name} needs a namespace`);
  if (at.subresource !== undefined && at.name === undefined)
    throw new Error(`the ${at.subresource} of a ${kind.kind} needs a name`);
  const parts = [kind.group === '' ? 'api' : `apis/${kind.group}`, kind.version];
  if (kind.namespaced && at.namespace !== undefined)
    parts.push('namespaces', encodeURIComponent(at.namespace));
  parts.push(kind.plural);
  if (at.name !== undefined) parts.push(encodeURIComponent(at.name));
  if (at.subresource !== undefined) parts.push(at.subresource);
  return `/${parts.join('/')}`;
}

function core<const P extends string, const K extends string, const N extends boolean>(
  plural: P,
  kind: K,
  namespaced: N,
) {
  return { group: '', version: 'v1', plural, kind, namespaced } as const;
}
