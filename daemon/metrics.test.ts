import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from './metrics.ts';

test('counters, gauges and histograms are exposed as Prometheus reads them', async () => {
  const metrics = new Metrics({ process: false });
  const moves = metrics.counter({ name: 'moves_total', help: 'Moves.', labels: ['reason'] });
  const held = metrics.gauge({ name: 'held', help: 'Addresses held.' });
  const peers = metrics.gauge({ name: 'peers', help: 'Peers.', labels: ['link', 'state'] });
  const takeover = metrics.histogram({ name: 't_seconds', help: 'Takeovers.', buckets: [0.3, 1] });
  metrics.histogramOf({ name: 'a_seconds', help: 'Answers.', buckets: [0.1, 1] }, () => ({
    counts: [3, 1, 2],
    sum: 7.5,
  }));
  let depth = 1;
  metrics.gaugeOf({ name: 'depth', help: 'Depth of the queue.' }, () => depth);
  let announced = ['198.51.100.1'];
  metrics.gaugesOf({ name: 'announced', help: 'Addresses announced.', labels: ['ip'] }, () =>
    announced.map((ip) => [1, { ip }]),
  );
  await metrics.expose();
  announced = ['198.51.100.2'];
  moves.add(2, { reason: 'Drain' });
  held.set(5);
  peers.set(3, { link: 'eth9', state: 'alive' });
  peers.clear();
  peers.set(2, { link: 'eth0', state: 'alive' });
  takeover.observe(0.25);
  depth = 7;
  const text = await metrics.expose();
  for (const line of [
    'moves_total{reason="Drain"} 2',
    'held 5',
    'peers{link="eth0",state="alive"} 2',
    't_seconds_bucket{le="0.3"} 1',
    'a_seconds_bucket{le="0.1"} 3',
    'a_seconds_bucket{le="1"} 4',
    'a_seconds_bucket{le="+Inf"} 6',
    'a_seconds_sum 7.5',
    'a_seconds_count 6',
    'depth 7',
    'announced{ip="198.51.100.2"} 1',
  ])
    assert(text.includes(`${line}\n`), `${line} in\n${text}`);
  assert(!text.includes('eth9'), 'what was cleared is gone');
  assert(!text.includes('198.51.100.1"'), 'what is not answered any more is gone');
});

test('the process itself is exposed unless told otherwise, each instance on its own', async () => {
  const text = await new Metrics().expose();
  assert.match(text, /process_resident_memory_bytes \d+/);
  assert.equal((await new Metrics({ process: false }).expose()).trim(), '');
});
