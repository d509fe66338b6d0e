/** Builders for tests: each mentions only what the case is about. */
import type { Allocation, Pool, Sighting } from '../../crds/pool.ts';
import type { PoolNodes } from '../../crds/pool-nodes.ts';
import type { IpFamily, Service, ServiceSpec } from '../../kube/object.ts';
import { type Address, formatAddress, parseAddress } from '../../net/address.ts';
import type { Range } from '../../net/range.ts';
import { allocate, type Decision } from '../allocate.ts';
import { enact } from '../enact.ts';
import { Ledger } from '../ledger.ts';
import type { NodeWorld } from '../node-addresses.ts';
import type { RosterNode } from '../node-roster.ts';
import type { Terms } from '../terms.ts';
import { readRequest, type Request } from '../request.ts';
import type { World } from '../world.ts';

export function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`${text} is no address`);
  return parsed;
}

/** `198.51.100.1-198.51.100.3`, or one address. */
export function range(text: string): Range {
  const [from = '', to = from] = text.split('-');
  const { family, value: first } = address(from);
  return { family, first, last: address(to).value };
}

/** What node `a` has seen of another machine: that it uses this address, before any node did. */
export const sighting = (text: string, extra: Partial<Sighting> = {}): Sighting => ({
  address: address(text),
  mac: '52:54:00:00:00:99',
  since: new Date('2026-01-01T00:00:00Z'),
  state: 'Quarantined',
  node: 'a',
  link: 'eth0',
  ...extra,
});

type PoolCase = Partial<Omit<Pool, 'allocation' | 'ranges'>> & {
  readonly allocation?: Partial<Allocation>;
};

export function pool(name: string, ranges: string | readonly string[], extra: PoolCase = {}): Pool {
  const { allocation, ...rest } = extra;
  const everybody = {
    priority: 0,
    namespaces: new Set<string>(),
    namespaceSelectors: [],
    serviceSelectors: [],
  };
  return {
    name,
    labels: {},
    ranges: [ranges].flat().map(range),
    autoAssign: true,
    avoidBuggyIPs: false,
    ...(allocation === undefined ? {} : { allocation: { ...everybody, ...allocation } }),
    ...rest,
  };
}

/** A pool of all nodes, unless it says which. */
export const nodePool = (
  name: string,
  nodes: Partial<PoolNodes> = {},
  extra: PoolCase = {},
): Pool =>
  pool(name, [], {
    nodes: { selector: [], addressType: 'InternalIP', reservedPorts: new Set([22]), ...nodes },
    ...extra,
  });

/** A node that is Ready, and has been for long, with these addresses of its own. */
export const rosterNode = (
  name: string,
  ips: string | readonly string[],
  extra: Partial<RosterNode> = {},
): RosterNode => ({
  name,
  labels: { name },
  addresses: { InternalIP: [ips].flat().map(address), ExternalIP: [] },
  excluded: false,
  ready: true,
  steady: true,
  ...extra,
});

export type ServiceCase = {
  readonly namespace?: string;
  readonly annotations?: Record<string, string>;
  readonly labels?: Record<string, string>;
  readonly spec?: ServiceSpec;
  readonly ips?: readonly string[];
  readonly created?: string;
};

/** A LoadBalancer with one IPv4 cluster address and port 80 that has asked for nothing special. */
export function service(name: string, extra: ServiceCase = {}): Service {
  const { namespace = 'default', annotations = {}, labels = {}, spec = {}, ips } = extra;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      namespace,
      annotations,
      labels,
      uid: `uid-${name}`,
      resourceVersion: '1',
      creationTimestamp: extra.created ?? '2026-01-01T00:00:00Z',
    },
    spec: {
      type: 'LoadBalancer',
      clusterIPs: ['203.0.113.1'],
      ports: [{ name: 'http', protocol: 'TCP', port: 80 }],
      ...spec,
    },
    status: { loadBalancer: ips === undefined ? {} : { ingress: ips.map((ip) => ({ ip })) } },
  };
}

export const dualStack = (
  policy: NonNullable<ServiceSpec['ipFamilyPolicy']>,
  ...ipFamilies: IpFamily[]
): ServiceCase => ({
  spec: {
    clusterIPs: ['203.0.113.1', '2001:db8:ffff::1'],
    ipFamilies: ipFamilies.length === 0 ? ['IPv4', 'IPv6'] : ipFamilies,
    ipFamilyPolicy: policy,
  },
});

/** What a Service asks for; a case that is refused on reading is a mistake in the test. */
export function request(name: string, extra: ServiceCase = {}): Request {
  const reading = readRequest(service(name, extra), undefined);
  if (reading.kind !== 'request') throw new Error(`${name} reads as ${reading.kind}`);
  return reading.request;
}

export const terms = (...ports: string[]): Terms => ({
  ports,
  sharing: '',
  namespaces: [],
  backend: '',
});

export const noNodes: NodeWorld = { nodes: [], servingOf: () => new Set() };

/** A small world in which requests are decided and carried out one after another. */
export class Town {
  readonly ledger: Ledger;
  pools: readonly Pool[];
  namespaceLabels: Readonly<Record<string, string>> | undefined = {};
  nodeWorld: NodeWorld = noNodes;
  nowMs = 0;
  stayMs = 0;

  constructor(pools: readonly Pool[], restMs = 0) {
    this.pools = pools;
    this.ledger = new Ledger(restMs);
  }

  decide(wish: Request): Decision {
    this.ledger.wake(this.nowMs);
    const { pools, namespaceLabels, ledger, nodeWorld } = this;
    const stayMs = () => this.stayMs;
    const world: World = { pools, namespaceLabels, ledger, nodeWorld, stayMs };
    return allocate(wish, world);
  }

  /** Decides and carries out; answers with what the Service holds then. */
  serve(wish: Request): string {
    const decision = this.decide(wish);
    const { service: key } = wish;
    enact(decision, key, wish.terms, this.ledger);
    this.ledger.settle(key, this.nowMs);
    return this.held(key);
  }

  drop(key: string): void {
    this.ledger.forget(key, this.nowMs);
  }

  held(key: string): string {
    const addresses = this.ledger.holdingOf(key)?.addresses ?? [];
    return addresses.map(formatAddress).join(' ');
  }
}
