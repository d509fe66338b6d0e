import type { Pool } from '../../../crds/pool.ts';
import type { Request } from '../../../operator/request.ts';
import { percentilesOf, type Percentiles } from '../../lab/percentiles.ts';
import { readPools, requestOf } from './demand.ts';
import { Desk } from './desk.ts';
import { collectGarbage } from './heap.ts';

export type Selecting = {
  /** Microseconds for the first Service of a namespace: a pool that admits it is found among all. */
  readonly firstUs: Percentiles;
  /** Microseconds for the same Service again, as after every edit of a pool: it keeps what it has. */
  readonly againUs: Percentiles;
};

/** One Service in each of many namespaces, and as many pools each of which is for some of these alone. */
export function measureSelecting(poolCount: number, namespaceCount: number): Selecting {
  const desk = new Desk(poolsForTeams(poolCount, namespaceCount));
  const residents = Array.from({ length: namespaceCount }, (_, index) =>
    resident(index, poolCount),
  );
  const round = (expected: string): Percentiles => {
    collectGarbage();
    const samplesUs = residents.map(({ request, labels }) => {
      const startMs = performance.now();
      const decided = desk.serve(request, labels);
      const tookUs = (performance.now() - startMs) * 1_000;
      if (decided !== expected) throw new Error(`${request.service}: ${decided}, not ${expected}`);
      return tookUs;
    });
    return percentilesOf(samplesUs);
  };
  return { firstUs: round('assign'), againUs: round('keep') };
}

type Resident = { readonly request: Request; readonly labels: Readonly<Record<string, string>> };

/** A Service of a namespace that belongs to one team; there is a pool for each team. */
function resident(index: number, teams: number): Resident {
  const namespace = `namespace-${index}`;
  const labels = {
    'kubernetes.io/metadata.name': namespace,
    'pod-security.kubernetes.io/enforce': 'baseline',
    team: `team-${index % teams}`,
  };
  return { request: requestOf('web', namespace, 'IPv4'), labels };
}

/** Every way of saying whom a pool is for, in turn. */
function poolsForTeams(count: number, namespaceCount: number): readonly Pool[] {
  const size = Math.ceil(namespaceCount / count);
  const specs = new Map<string, object>();
  for (let team = 0; team < count; team++) {
    const value = `team-${team}`;
    const first = team * size;
    const selector = [
      { matchLabels: { team: value } },
      { matchExpressions: [{ key: 'team', operator: 'In', values: [value, `${value}-guests`] }] },
    ][team % 3];
    const namespaces = Array.from(
      { length: size },
      (_, turn) => `namespace-${team + turn * count}`,
    );
    specs.set(value, {
      addresses: [`${addressAt(first)}-${addressAt(first + size - 1)}`],
      serviceAllocation:
        selector === undefined ? { namespaces } : { namespaceSelectors: [selector] },
    });
  }
  return readPools(specs);
}

/** Of the network that RFC 2544 keeps for benchmarks. */
const addressAt = (offset: number): string =>
  `198.${18 + (offset >>> 16)}.${(offset >>> 8) & 255}.${offset & 255}`;
