import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from '../daemon/metrics.ts';
import { assertMetricsDocumented } from '../daemon/testing/documented.ts';
import { openAllocatorMetrics } from './allocator-metrics.ts';

const counts = {
  assignedIPv4: 2,
  assignedIPv6: 1,
  availableIPv4: 6,
  availableIPv6: 4,
  quarantined: 0,
  contested: 0,
};

test('the metrics of the operator are those of docs/metrics.md', () => {
  const metrics = new Metrics({ process: false });
  openAllocatorMetrics(metrics);
  assertMetricsDocumented('The operator', metrics);
});

test('pools are counted under the names of MetalLB, and forgotten when they go', async () => {
  const metrics = new Metrics({ process: false });
  const tally = openAllocatorMetrics(metrics);
  tally.pool('lan', counts);
  tally.pool('dmz', counts);
  tally.poolGone('lan');
  const text = await metrics.expose();
  assert.match(text, /metallb_allocator_addresses_total\{pool="dmz"\} 13/);
  assert.match(text, /metallb_allocator_ipv4_addresses_in_use_total\{pool="dmz"\} 2/);
  assert.match(text, /metallb_allocator_ipv6_addresses_total\{pool="dmz"\} 5/);
  assert.doesNotMatch(text, /pool="lan"/);
});

test('who leads no more shows no pools, and what was done stays counted', async () => {
  const metrics = new Metrics({ process: false });
  const tally = openAllocatorMetrics(metrics);
  tally.pool('lan', counts);
  tally.assigned('lan');
  tally.refused('PoolExhausted');
  tally.reset();
  const text = await metrics.expose();
  assert.doesNotMatch(text, /allocator.*pool="lan"/);
  assert.match(text, /_refusals_total\{reason="PoolExhausted"\} 1/);
  assert.match(text, /_assignments_total\{pool="lan"\} 1/);
});

test('the Ready nodes of a pool are shown for as long as it is one of nodes', async () => {
  const metrics = new Metrics({ process: false });
  const tally = openAllocatorMetrics(metrics);
  tally.pool('nodes', { ...counts, readyNodes: 0 });
  assert.match(await metrics.expose(), /mercurylb_pool_ready_nodes\{pool="nodes"\} 0/);
  tally.pool('nodes', counts);
  const text = await metrics.expose();
  assert.doesNotMatch(text, /ready_nodes\{/);
  assert.match(text, /metallb_allocator_addresses_total\{pool="nodes"\} 13/);
});

test('the addresses that other machines use are shown for each pool', async () => {
  const metrics = new Metrics({ process: false });
  const tally = openAllocatorMetrics(metrics);
  tally.pool('lan', { ...counts, quarantined: 3, contested: 1 });
  const text = await metrics.expose();
  assert.match(text, /mercurylb_pool_quarantined_addresses\{pool="lan"\} 3/);
  assert.match(text, /mercurylb_pool_contested_addresses\{pool="lan"\} 1/);
  tally.pool('lan', counts);
  assert.match(await metrics.expose(), /mercurylb_pool_quarantined_addresses\{pool="lan"\} 0/);
});
