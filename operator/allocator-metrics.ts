import type { Metrics } from '../daemon/metrics.ts';
import type { Counts } from './pool-counts.ts';
import type { Tally } from './tally.ts';

const gauges: Readonly<Record<string, { help: string; read: (counts: Counts) => number }>> = {
  addresses_total: {
    help: 'Addresses of a pool; of a closed one those in use.',
    read: (c) => c.assignedIPv4 + c.availableIPv4 + c.assignedIPv6 + c.availableIPv6,
  },
  ipv4_addresses_total: {
    help: 'IPv4 addresses of a pool; of a closed one those in use.',
    read: (c) => c.assignedIPv4 + c.availableIPv4,
  },
  ipv6_addresses_total: {
    help: 'IPv6 addresses of a pool; of a closed one those in use.',
    read: (c) => c.assignedIPv6 + c.availableIPv6,
  },
  addresses_in_use_total: {
    help: 'Addresses of a pool that Services hold; a shared one counts once.',
    read: (c) => c.assignedIPv4 + c.assignedIPv6,
  },
  ipv4_addresses_in_use_total: {
    help: 'IPv4 addresses of a pool that Services hold; a shared one counts once.',
    read: (c) => c.assignedIPv4,
  },
  ipv6_addresses_in_use_total: {
    help: 'IPv6 addresses of a pool that Services hold; a shared one counts once.',
    read: (c) => c.assignedIPv6,
  },
};

const ours: typeof gauges = {
  quarantined_addresses: {
    help: 'Addresses of a pool that another machine uses, so that they are handed out to nobody.',
    read: (c) => c.quarantined,
  },
  contested_addresses: {
    help: 'Addresses of a pool that Services have and another machine uses, too.',
    read: (c) => c.contested,
  },
};

/** MetalLB's gauges under MetalLB's names, so that its dashboards and alerts go on working; and ours. */
export function openAllocatorMetrics(metrics: Metrics): Tally {
  const pools = new Map<string, Counts>();
  const open = (some: typeof gauges, prefix: string) =>
    Object.entries(some).map(([name, { help, read }]) => ({
      gauge: metrics.gauge({ name: `${prefix}_${name}`, help, labels: ['pool'] }),
      read,
    }));
  const perPool = [...open(gauges, 'metallb_allocator'), ...open(ours, 'mercurylb_pool')];
  const assigned = metrics.counter({
    name: 'mercurylb_assignments_total',
    help: 'Times that a Service was given addresses of a pool.',
    labels: ['pool'],
  });
  const refused = metrics.counter({
    name: 'mercurylb_refusals_total',
    help: 'Times that a Service was told why it has not what it asks for.',
    labels: ['reason'],
  });
  const ready = metrics.gauge({
    name: 'mercurylb_pool_ready_nodes',
    help: 'Nodes of a pool of nodes that are Ready and give their addresses.',
    labels: ['pool'],
  });
  const show = (pool: string, counts: Counts) => {
    for (const { gauge, read } of perPool) gauge.set(read(counts), { pool });
    if (counts.readyNodes !== undefined) ready.set(counts.readyNodes, { pool });
  };
  const forget = (names: Iterable<string>) => {
    for (const name of names) pools.delete(name);
    for (const { gauge } of [...perPool, { gauge: ready }]) gauge.clear();
    for (const [name, counts] of pools) show(name, counts);
  };
  return {
    assigned: (pool) => assigned.add(1, { pool }),
    refused: (reason) => refused.add(1, { reason }),
    pool: (name, counts) => {
      const isOther = pools.get(name)?.readyNodes !== undefined && counts.readyNodes === undefined;
      pools.set(name, counts);
      // Its nodes are to be forgotten, too.
      if (isOther) forget([]);
      else show(name, counts);
    },
    poolGone: (name) => {
      if (pools.has(name)) forget([name]);
    },
    reset: () => forget([...pools.keys()]),
  };
}
