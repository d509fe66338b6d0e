/**
 * Proves at a client of the LAN, with its own tools, who answers for an address while nodes, speakers, links
 * and the API server fail. The bounds leave room for a busy machine; `make lab` measures.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { systemClock } from '../daemon/clock.ts';
import type { Cluster } from './lab/cluster.ts';
import { cutHolder, openSteadyProbe, stopHolder } from './lab/failover.ts';
import { answerersOf, someHolderOf } from './lab/holders.ts';
import type { Host } from './lab/host.ts';
import { heal, linkDown, linkUp, partition, portDown, portUp } from './lab/links.ts';
import { percentilesOf } from './lab/percentiles.ts';
import type { Probe } from './lab/probe.ts';
import { needsLab } from './lab/requirements.ts';
import { openServing } from './lab/serving.ts';
import { writtenStatuses } from './lab/statuses.ts';
import { until } from '../daemon/testing/until.ts';

describe('failover', needsLab, () => {
  let cluster: Cluster;
  let address: string;
  let probe: Probe;
  before(async () => {
    ({ cluster, address } = await openServing());
    probe = await openSteadyProbe(cluster, address);
  });
  after(() => cluster[Symbol.asyncDispose]());
  afterEach(() => assert.deepEqual(cluster.crashes(), []));

  const holder = (): Promise<Host> => someHolderOf(cluster, address);
  const answerers = (): Promise<string[]> => answerersOf(cluster, address);
  /** Resolves when one node answers, and it is another one. */
  const movedFrom = (from: Host): Promise<Host> =>
    until(`${address} has left ${from.name}`, async () => {
      const host = await holder();
      return host !== from && host;
    });

  test('exactly one node answers for an address', async () => {
    assert.deepEqual(await answerers(), [(await holder()).name]);
  });

  test('after a power cut another node answers within a second, and keeps the address', async () => {
    const samplesMs: number[] = [];
    for (let cut = 0; cut < 5; cut++) {
      // Throws where the address does not stay with its new holder when the power comes back.
      samplesMs.push((await cutHolder(cluster, address, probe)).blackoutMs);
    }
    const { p50, max } = percentilesOf(samplesMs);
    assert.ok(p50 <= 400, `p50 ${p50} ms of ${samplesMs.join(', ')}`);
    assert.ok(max <= 1_000, `max ${max} ms of ${samplesMs.join(', ')}`);
  });

  test('a takeover stands in the status of its Service and in the metrics of its new holder', async () => {
    const { from, to } = await cutHolder(cluster, address, probe);
    await until('the status names the new holder alone', async () => {
      const statuses = await writtenStatuses(cluster.api);
      const holders = statuses.flatMap((status) => status.holders ?? []);
      const [holder, ...others] = holders.filter((each) => each.address === address);
      assert.deepEqual(others, []);
      assert.deepEqual([holder?.node, holder?.previousNode], [to, from]);
      assert.equal(holder?.reason, 'HolderDied');
      assert.ok((holder.detectionMs ?? 0) >= 200, `detected after ${holder.detectionMs} ms`);
      return true;
    });
    const heir = cluster.hosts.node(to);
    const metrics = await cluster.client.curl(`http://${heir.address}:7473/metrics`);
    for (const stage of ['detection', 'decision', 'first_frame'])
      assert.match(
        metrics,
        new RegExp(`^mercurylb_takeover_seconds_count{stage="${stage}"} [1-9]`, 'm'),
      );
  });

  test('a speaker that is stopped in order hands over, and no new connection fails', async () => {
    const move = await stopHolder(cluster, address, 80);
    assert.notEqual(move.to, move.from);
    assert.ok(move.connections > 20, `${move.connections} connections`);
    assert.deepEqual(move.failed, []);
    assert.ok(move.blackoutMs <= 100, `${move.blackoutMs} ms without an answer`);
  });

  test('a speaker that is killed is replaced although its node goes on', async () => {
    const from = await holder();
    const blackout = await probe.blackoutOf(async () => {
      from.running('speaker').signal('SIGKILL');
      await movedFrom(from);
    });
    // The node itself still serves what is sent to its MAC, so the client need not notice at all.
    assert.ok(blackout.ms <= 1_000, `${blackout.ms} ms without an answer`);
    const heir = await holder();
    from.start('speaker');
    await cluster.memberAgain(from);
    assert.deepEqual(await answerers(), [heir.name]);
  });

  test('a speaker that stood still for five seconds yields when it wakes up', async () => {
    const from = await holder();
    const { signal } = from.running('speaker');
    signal('SIGSTOP');
    const heir = await movedFrom(from);
    await systemClock.sleep(5_000);
    signal('SIGCONT');
    await cluster.memberAgain(from);
    assert.deepEqual(await answerers(), [heir.name]);
  });

  test('a holder that loses its carrier is replaced, and takes nothing back', async () => {
    const from = await holder();
    const blackout = await probe.blackoutOf(() => portDown(from));
    assert.ok(blackout.ms <= 1_000, `${blackout.ms} ms without an answer`);
    const heir = await holder();
    assert.notEqual(heir.name, from.name);
    await portUp(from);
    await cluster.memberAgain(from);
    assert.deepEqual(await answerers(), [heir.name]);
  });

  test('a holder whose link is taken down is replaced, and takes nothing back', async () => {
    const from = await holder();
    const blackout = await probe.blackoutOf(() => linkDown(from));
    assert.ok(blackout.ms <= 1_000, `${blackout.ms} ms without an answer`);
    const heir = await holder();
    await linkUp(from);
    await cluster.memberAgain(from);
    assert.deepEqual(await answerers(), [heir.name]);
  });

  test('nodes that cannot hear each other may both answer; one does when they can again', async () => {
    const from = await holder();
    const others = cluster.hosts.nodes.filter((host) => host !== from);
    await partition([from], others);
    await until('both sides answer', async () => (await answerers()).length === 2);
    await heal(from);
    await until('one of them has yielded', async () => (await answerers()).length === 1);
    await probe.steady(500);
  });

  test('without the API server nothing moves, and a dead node is replaced as fast as ever', async () => {
    const { control, nodes } = cluster.hosts;
    const before = await holder();
    await partition([control], nodes);
    const quiet = await probe.blackoutOf(() => systemClock.sleep(4_000));
    assert.deepEqual(await answerers(), [before.name]);
    assert.ok(quiet.ms <= 200, `${quiet.ms} ms without an answer`);

    const blackout = await probe.blackoutOf(() => before.cutPower());
    assert.ok(blackout.ms <= 1_000, `${blackout.ms} ms without an answer`);
    const heir = await holder();
    await before.restorePower();
    await cluster.memberAgain(before);
    assert.deepEqual(await answerers(), [heir.name]);

    await heal(control);
    await cluster.applyFile('examples/pinned.yaml');
    await someHolderOf(cluster, '198.51.100.210');
    assert.deepEqual(await answerers(), [heir.name]);
  });
});
