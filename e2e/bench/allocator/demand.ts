import { readModel } from '../../../crds/model.ts';
import type { Pool } from '../../../crds/pool.ts';
import type { Service } from '../../../kube/object.ts';
import type { Family } from '../../../net/address.ts';
import { readRequest, type Request } from '../../../operator/request.ts';

/** The pools of these objects, as the operator reads them. Throws where one of them is faulty. */
export function readPools(specs: ReadonlyMap<string, object>): readonly Pool[] {
  const pools = Array.from(specs, ([name, spec]) => ({ metadata: { name }, spec }));
  const advertisements = [{ metadata: { name: 'all' }, spec: {} }];
  const model = readModel({ pools, advertisements });
  const [problem] = model.problems;
  if (problem !== undefined) throw new Error(`the pools of the bench: ${problem.detail}`);
  return model.pools;
}

export const poolOf = (addresses: string): readonly Pool[] =>
  readPools(new Map([['bench', { addresses: [addresses] }]]));

/** What the operator reads in a Service of a family that asks for nothing special. */
export function requestOf(name: string, namespace: string, family: Family): Request {
  const service: Service = {
    metadata: { name, namespace, uid: name, resourceVersion: '1' },
    spec: {
      type: 'LoadBalancer',
      clusterIPs: [clusterAddresses[family]],
      ports: [{ name: 'http', protocol: 'TCP', port: 80 }],
    },
  };
  const reading = readRequest(service, undefined);
  if (reading.kind !== 'request') throw new Error(`Service ${name} reads as ${reading.kind}`);
  return reading.request;
}

const clusterAddresses: Readonly<Record<Family, string>> = {
  IPv4: '203.0.113.1',
  IPv6: '2001:db8:ffff::1',
};

// As many as a large cluster has; how many there are makes no difference to a pool without quota.
const namespaces = 100;

export const requestsOf = (count: number, family: Family): Request[] =>
  Array.from({ length: count }, (_, index) =>
    requestOf(`service-${index}`, `namespace-${index % namespaces}`, family),
  );
