/**
 * Proves at a client of the LAN that a station which sends whatever it likes, and has recorded what the speakers say, but
 * lacks the key, moves no address, keeps no takeover from happening in time, and costs the speakers a bounded amount.
 * `LAB_LENGTH=full` sends a million frames.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test, type TestContext } from 'node:test';
import { systemClock } from '../daemon/clock.ts';
import { until } from '../daemon/testing/until.ts';
import { type Cost, costOf } from './bench/cost.ts';
import type { Cluster } from './lab/cluster.ts';
import { cutHolder, openSteadyProbe } from './lab/failover.ts';
import { answerersOf, someHolderOf } from './lab/holders.ts';
import type { Host, Program } from './lab/host.ts';
import { assertUnnoticed } from './lab/judge-trial.ts';
import { isFull } from './lab/length.ts';
import { fromRoot } from './lab/programs.ts';
import { percentilesOf } from './lab/percentiles.ts';
import { needsLab } from './lab/requirements.ts';
import { openServing } from './lab/serving.ts';
import { plugIn } from './lab/stranger.ts';
import type { Spell } from './lab/tap.ts';
import { trialOf } from './lab/trial.ts';
import { urlOf } from './lab/url.ts';

const frames = isFull ? 1_000_000 : 100_000;
const perSecond = 20_000;
const address6 = '2001:db8::210';
/** Of a core, and of memory, for each speaker. */
const mostShare = 0.4;
const mostGrownMb = 30;

describe(`a hostile station that sends ${perSecond} frames a second`, needsLab, () => {
  let cluster: Cluster;
  let address: string;
  let stranger: Host;
  before(async () => {
    ({ cluster, address } = await openServing());
    await cluster.applyFile('examples/ipv6.yaml');
    await someHolderOf(cluster, address6);
    stranger = await plugIn(cluster.hosts);
  });
  after(() => cluster[Symbol.asyncDispose]());
  afterEach(() => assert.deepEqual(cluster.crashes(), []));

  const takeovers = (): number => cluster.logs(100_000).split('"took over"').length;
  const costs = (): Cost[] =>
    cluster.hosts.nodes.map((host) => costOf(host.running('speaker').pid));

  const both = (): readonly string[] => [address, address6];
  const hostile = (count: number, ...options: readonly string[]): Program => ({
    name: 'hostile',
    file: process.execPath,
    args: [
      fromRoot('e2e/lab/programs/hostile.ts'),
      ...options,
      String(count),
      String(perSecond),
      ...both(),
    ],
  });

  /** Without what the station sent: the tap shows that, too. */
  function ofNodes(spells: readonly Spell[]): readonly Spell[] {
    const names = cluster.hosts.nodes.map(({ name }) => name);
    const said = spells.filter(({ host }) => names.includes(host));
    return said.filter(({ host }, index) => host !== said[index - 1]?.host);
  }

  /** Resolves when all is sent; says how much of a core each speaker took meanwhile, and by how much it grew. */
  async function fire(t: TestContext, count: number, ...options: readonly string[]): Promise<void> {
    const { file, args } = hostile(count, ...options);
    const first = costs();
    const printed = await stranger.run(file, args, { timeoutMs: 600_000 });
    const { sent, seconds } = JSON.parse(printed) as { sent: number; seconds: number };
    assert.equal(sent, count);
    t.diagnostic(`${sent} frames, ${Math.round(sent / seconds)} a second`);
    for (const [index, { cpuSeconds, residentMb }] of costs().entries()) {
      const before = first[index];
      assert.ok(before !== undefined);
      const share = (cpuSeconds - before.cpuSeconds) / seconds;
      const grownMb = residentMb - before.residentMb;
      const percent = `${Math.round(100 * share)} % of a core`;
      t.diagnostic(
        `node-${index + 1}: ${percent}, ${residentMb.toFixed(0)} MB (${grownMb.toFixed(1)} more)`,
      );
      assert.ok(share <= mostShare, `node-${index + 1} took ${percent}`);
      assert.ok(grownMb <= mostGrownMb, `node-${index + 1} grew by ${grownMb} MB`);
    }
  }

  test('moves nothing, and no client notices', async (t) => {
    const host = await someHolderOf(cluster, address);
    const already = takeovers();
    const { spells, ...trial } = await trialOf(cluster, address, () => fire(t, frames));
    assertUnnoticed({ ...trial, spells: ofNodes(spells) }, host, cluster);
    assert.equal(takeovers(), already, cluster.logs(10));
  });

  test('keeps no heir from taking over in time', async (t) => {
    await using probe = await openSteadyProbe(cluster, address);
    const samplesMs: number[] = [];
    for (let cut = 0; cut < 3; cut++) {
      const firing = stranger.spawn(hostile(60 * perSecond));
      await until('it fires', () => stranger.logOf(firing.name, 1).includes('fires'));
      samplesMs.push((await cutHolder(cluster, address, probe)).blackoutMs);
      await firing.stop();
    }
    t.diagnostic(`no answer for ${samplesMs.map((ms) => ms.toFixed(1)).join(', ')} ms`);
    const { p50, max } = percentilesOf(samplesMs);
    assert.ok(p50 <= 400, `p50 ${p50} ms of ${samplesMs.join(', ')}`);
    assert.ok(max <= 1_000, `max ${max} ms of ${samplesMs.join(', ')}`);
    await probe.steady(200);
    const { blackoutMs } = await cutHolder(cluster, address, probe);
    t.diagnostic(`and ${blackoutMs.toFixed(1)} ms when it had stopped`);
    assert.ok(blackoutMs <= 1_000, `${blackoutMs} ms when it had stopped`);
  });

  // Which of two stations a neighbour believes is the switch's matter (dynamic ARP inspection); it asks again in the end.
  test('and claims the addresses itself moves nothing either, is named, and has neighbours only while it claims', async (t) => {
    const holders = await Promise.all(both().map((one) => someHolderOf(cluster, one)));
    const already = takeovers();
    await fire(t, frames / 2, '--claims');
    for (const [index, one] of both().entries()) {
      const host = holders[index];
      assert.ok(host !== undefined);
      assert.deepEqual(await answerersOf(cluster, one), [host.name]);
      assert.match(host.logOf('speaker', 1_000), /another station[^\n]*02:00:00:00:66:0/);
    }
    assert.equal(takeovers(), already, cluster.logs(10));
    const fromMs = systemClock.nowMs();
    const served = () => cluster.client.curl(urlOf(address));
    await until('the client is served again', served, { withinMs: 30_000 });
    t.diagnostic(`served again after ${Math.round(systemClock.nowMs() - fromMs)} ms`);
  });
});
