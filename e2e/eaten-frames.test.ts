/**
 * Proves at a client of the LAN that a switch which drops the speakers' frames makes no second holder: they go on in
 * datagrams, and where those are dropped too, by what the API says.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { systemClock } from '../daemon/clock.ts';
import { until } from '../daemon/testing/until.ts';
import type { Cluster } from './lab/cluster.ts';
import { openSteadyProbe } from './lab/failover.ts';
import { answerersOf, holderOf, someHolderOf } from './lab/holders.ts';
import type { Host } from './lab/host.ts';
import { eatFrames, passFrames } from './lab/links.ts';
import { needsLab } from './lab/requirements.ts';
import { openServing } from './lab/serving.ts';

describe('a switch that drops what it does not know', needsLab, () => {
  let cluster: Cluster;
  let address: string;
  before(async () => {
    ({ cluster, address } = await openServing());
  });
  after(() => cluster[Symbol.asyncDispose]());
  afterEach(() => assert.deepEqual(cluster.crashes(), []));

  const holder = (): Promise<Host> => someHolderOf(cluster, address);
  const answerers = (): Promise<string[]> => answerersOf(cluster, address);
  const takeovers = (): number => cluster.logs(10_000).split('"took over"').length;

  test('moves nothing when it begins to', async () => {
    const from = await holder();
    const already = takeovers();
    await eatFrames(from, 'frames');
    await systemClock.sleep(3_000);
    assert.deepEqual(await answerers(), [from.name]);
    assert.equal(takeovers(), already, cluster.logs(10));
  });

  test('does not delay the takeover when the holder loses power', async () => {
    await using probe = await openSteadyProbe(cluster, address);
    const from = await holder();
    const blackout = await probe.blackoutOf(() => from.cutPower());
    assert.ok(blackout.ms <= 1_000, `${blackout.ms} ms without an answer`);
    const heir = await holder();
    assert.notEqual(heir, from);
    await from.restorePower();
    await systemClock.sleep(3_000);
    assert.deepEqual(await answerers(), [heir.name]);
  });

  test('makes no second holder when all speakers start behind it, even if it drops their datagrams too', async () => {
    const { nodes } = cluster.hosts;
    await eatFrames(nodes[0] ?? (await holder()), 'everything');
    const speakers = nodes.map((host) => host.running('speaker'));
    for (const { signal } of speakers) signal('SIGKILL');
    await Promise.all(speakers.map(({ exited }) => exited));
    for (const host of nodes) host.start('speaker');
    const first = await until('a node takes the address', () => holderOf(cluster, address), {
      withinMs: 30_000,
    });
    await systemClock.sleep(2_000);
    assert.deepEqual(await answerers(), [first.name]);

    await passFrames(first);
    await Promise.all(nodes.map(cluster.memberAgain));
    assert.deepEqual(await answerers(), [first.name]);
  });
});
