import { formatAddress, parseAddress } from '../../net/address.ts';
import { prefixRange } from '../../net/range.ts';
import { isObject, type JsonObject, listAt, objectAt, textAt } from '../apiserver/json.ts';
import type { ApiServer } from '../apiserver/server.ts';
import type { Stored } from '../apiserver/resource.ts';

/** A pool by what it means, every address written out. */
export type PoolFacts = {
  readonly name: string;
  /** What it may hand out. */
  readonly addresses: Set<string>;
  /** An older pool has some of its addresses. */
  readonly closed: boolean;
  readonly owners: ReadonlyMap<string, string>;
  readonly auto: boolean;
  readonly pinsReserved: boolean;
  readonly most: number;
  readonly reclaims: ReadonlySet<string>;
  /** Whether its serviceAllocation is for a Service. */
  readonly admits: (asker: Asker) => boolean;
};

/** A Service by what it asks for and what it shows. */
export type Asker = {
  readonly key: string;
  readonly namespace: string;
  readonly labels: JsonObject;
  readonly balanced: boolean;
  readonly faulty: boolean;
  readonly families: readonly string[];
  readonly secondOptional: boolean;
  readonly wanted: readonly string[];
  readonly count: number;
  readonly pool: string;
  readonly sharing: string;
  readonly partners: readonly string[];
  readonly ports: readonly string[];
  readonly backend: string;
  readonly shown: readonly string[];
  /** The pool that its annotation says it has the addresses from. */
  readonly from: string;
  /** The status of our condition, '' where there is none. */
  readonly content: string;
  readonly reason: string;
};

export type Facts = {
  /** Addresses of pools that another machine uses and no node: nobody may have them anew. */
  readonly quarantined: ReadonlySet<string>;
  /** Those that a node answers for, and another machine, too. */
  readonly contested: ReadonlySet<string>;
  readonly pools: readonly PoolFacts[];
  readonly askers: ReadonlyMap<string, Asker>;
};

export const familyOf = (address: string): string => (address.includes(':') ? 'IPv6' : 'IPv4');

/** All that the objects of an API server say, read anew. */
export function readFacts(api: ApiServer): Facts {
  const askers = api.list('v1', 'Service').map(readAsker);
  const labels = new Map(
    api.list('v1', 'Namespace').map(({ metadata }) => [metadata.name, labelsOf(metadata)]),
  );
  const byAge = api
    .list('metallb.io/v1beta1', 'IPAddressPool')
    .toSorted((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1));
  const pools = byAge.map((object, age) => {
    const older = new Set(byAge.slice(0, age).flatMap((one) => [...writtenIn(one)]));
    const closed = [...writtenIn(object)].some((address) => older.has(address));
    return readPool(object, closed, labels);
  });
  const { quarantined, contested } = readForeign(
    api,
    new Set(byAge.flatMap((pool) => [...writtenIn(pool)])),
  );
  for (const { addresses } of pools) for (const one of quarantined) addresses.delete(one);
  return {
    pools,
    quarantined,
    contested,
    askers: new Map(askers.map((asker) => [asker.key, asker])),
  };
}

/** What the nodes say of other machines; who answers for an address knows better than who has only asked. */
function readForeign(api: ApiServer, pooled: ReadonlySet<string>) {
  const seen = api
    .list('mercurylb.io/v1alpha1', 'NodeNetwork')
    .flatMap((object) => listAt(object, 'status', 'links'))
    .filter(isObject)
    .flatMap((link) => listAt(link, 'foreign'))
    .filter(isObject)
    .filter((one) => pooled.has(textAt(one, 'address')));
  const inState = (state: string): readonly string[] =>
    seen.flatMap((one) => (one['state'] === state ? textAt(one, 'address') : []));
  const contested = new Set(inState('Contested'));
  return { contested, quarantined: new Set(inState('Quarantined')).difference(contested) };
}

const ageOf = ({ metadata }: Stored): string =>
  `${textAt(metadata, 'creationTimestamp')} ${metadata.name}`;

const labelsOf = (metadata: JsonObject): JsonObject => objectAt(metadata, 'labels');

const writtenIn = (pool: Stored): ReadonlySet<string> => expand(textsAt(pool, 'spec', 'addresses'));

const textsAt = (object: JsonObject, ...path: string[]): readonly string[] =>
  listAt(object, ...path).filter((item) => typeof item === 'string');

/** Every address of some ranges, networks and single addresses; of what is too wide for that, those of our world. */
function expand(places: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const place of places) {
    const [low = '', high = ''] = place.split(place.includes('/') ? '/' : '-');
    const first = parseAddress(low);
    if (first === undefined) continue;
    const range = place.includes('/') ? prefixRange(first, Number(high)) : undefined;
    const from = range?.first ?? first.value;
    const to = range?.last ?? parseAddress(high)?.value ?? from;
    if (to - from < 1_000n)
      for (let value = from; value <= to; value++)
        found.add(formatAddress({ family: first.family, value }));
    else found.add(`every ${first.family}`);
  }
  return found;
}

export const reclaims = ({ reclaims: places }: PoolFacts, address: string): boolean =>
  places.has(address) || places.has(`every ${familyOf(address)}`);

function readPool(
  pool: Stored,
  closed: boolean,
  labels: ReadonlyMap<string, JsonObject>,
): PoolFacts {
  const spec = objectAt(pool, 'spec');
  const excluded = expand(textsAt(spec, 'exclude'));
  const isAvoided = (address: string): boolean =>
    spec['avoidBuggyIPs'] === true && /^[\d.]+\.(0|255)$/.test(address);
  const owners = new Map<string, string>();
  for (const one of listAt(spec, 'reservations').filter(isObject))
    for (const address of textsAt(one, 'addresses'))
      owners.set(address, `${textAt(one, 'namespace')}/${textAt(one, 'service')}`);
  const allocation = spec['serviceAllocation'];
  const most = isObject(allocation) ? allocation['maxPerNamespace'] : undefined;
  return {
    name: pool.metadata.name,
    addresses: new Set([...writtenIn(pool)].filter((one) => !excluded.has(one) && !isAvoided(one))),
    closed,
    owners,
    auto: spec['autoAssign'] !== false,
    pinsReserved: spec['pinning'] === 'Reserved',
    most: typeof most === 'number' ? most : Infinity,
    reclaims: expand(textsAt(spec, 'reclaim')),
    admits: (asker) =>
      !isObject(allocation) ||
      [...owners.values()].includes(asker.key) ||
      isAdmitted(allocation, asker, labels.get(asker.namespace) ?? {}),
  };
}

function isAdmitted(
  allocation: JsonObject,
  { namespace, labels }: Asker,
  labelsOfNamespace: JsonObject,
): boolean {
  const fits = (selector: JsonObject, those: JsonObject): boolean =>
    Object.entries(objectAt(selector, 'matchLabels')).every(
      ([name, value]) => those[name] === value,
    );
  const names = textsAt(allocation, 'namespaces');
  const byNamespace = listAt(allocation, 'namespaceSelectors').filter(isObject);
  const byService = listAt(allocation, 'serviceSelectors').filter(isObject);
  const inNamespace =
    names.length + byNamespace.length === 0 ||
    names.includes(namespace) ||
    byNamespace.some((selector) => fits(selector, labelsOfNamespace));
  return (
    inNamespace && (byService.length === 0 || byService.some((selector) => fits(selector, labels)))
  );
}

function readAsker(service: Stored): Asker {
  const note = (name: string) => textAt(service.metadata, 'annotations', `metallb.io/${name}`);
  const spec = objectAt(service, 'spec');
  const namespace = textAt(service.metadata, 'namespace');
  const present = textsAt(spec, 'clusterIPs').map(familyOf);
  const families = textsAt(spec, 'ipFamilies');
  const policy = textAt(spec, 'ipFamilyPolicy');
  const pins = note('loadBalancerIPs')
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '');
  const askedOf = new Set(pins.map(familyOf));
  const unreadable = pins.some((pin) => parseAddress(pin) === undefined);
  const strange = pins.length > 0 && families.some((family) => !askedOf.has(family));
  const count = note('address-count') === '' ? 1 : Number(note('address-count'));
  const condition = listAt(service, 'status', 'conditions')
    .filter(isObject)
    .find(({ type }) => type === 'metallb.io/AddressAsRequested');
  const ports = listAt(spec, 'ports').filter(isObject);
  return {
    key: `${namespace}/${service.metadata.name}`,
    namespace,
    labels: labelsOf(service.metadata),
    balanced: spec['type'] === 'LoadBalancer',
    faulty:
      unreadable ||
      strange ||
      [...askedOf].some((family) => !families.includes(family)) ||
      Number.isNaN(count) ||
      (policy === 'RequireDualStack' && present.length < 2),
    families,
    secondOptional: policy === 'PreferDualStack' && families.length === 2,
    wanted: [...new Set(pins)],
    count,
    pool: note('address-pool'),
    sharing: note('allow-shared-ip'),
    partners: note('share-with-namespaces').split(','),
    ports: ports.map((port) => `${textAt(port, 'protocol')} ${JSON.stringify(port['port'])}`),
    backend:
      spec['externalTrafficPolicy'] === 'Local' ? JSON.stringify(objectAt(spec, 'selector')) : '',
    shown: listAt(service, 'status', 'loadBalancer', 'ingress')
      .filter(isObject)
      .map((ingress) => textAt(ingress, 'ip')),
    from: note('ip-allocated-from-pool'),
    content: condition === undefined ? '' : textAt(condition, 'status'),
    reason: condition === undefined ? '' : textAt(condition, 'reason'),
  };
}
