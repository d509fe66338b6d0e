/**
 * Proves at a client of the LAN that an address whose holder lives and is not heard to answer comes to another node, that
 * a machine which answers for an address of ours is named and moves nothing, and that nothing moves while all is well.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { until } from '../daemon/testing/until.ts';
import type { Cluster } from './lab/cluster.ts';
import { answerersOf, someHolderOf } from './lab/holders.ts';
import { eatAnswers, eatAnswersTo, passFrames } from './lab/links.ts';
import { needsLab } from './lab/requirements.ts';
import { openServing } from './lab/serving.ts';
import { urlOf } from './lab/url.ts';

const witnessSeconds = 2;
/** A round, three exams with 5 s between them, and what a busy machine takes. */
const movesWithinMs = 25_000;
const address6 = '2001:db8::210';

describe('the witness of an address', needsLab, () => {
  let cluster: Cluster;
  let address: string;
  before(async () => {
    ({ cluster, address } = await openServing('embedded', undefined, { witnessSeconds }));
    await cluster.applyFile('examples/ipv6.yaml');
    await someHolderOf(cluster, address6);
  });
  after(() => cluster[Symbol.asyncDispose]());
  afterEach(() => assert.deepEqual(cluster.crashes(), []));

  /** What speakers have logged of one kind so far. */
  const logged = (part: string): Record<string, unknown>[] =>
    cluster
      .logs(10_000)
      .split('\n')
      .filter((line) => line.startsWith('{') && line.includes(part))
      .map((line) => JSON.parse(line));
  const findings = (): string[] =>
    logged('"finding"').flatMap(({ finding }) => (typeof finding === 'string' ? finding : []));
  const takeovers = (): number => logged('"took over"').length;

  /** Questions that the speakers have asked for each other's addresses. */
  async function asked(): Promise<number> {
    const counts = cluster.hosts.nodes.map(async (host) => {
      const metrics = await host.run('curl', ['-s', `http://${host.address}:7473/metrics`]);
      return Number(/^mercurylb_witness_questions_total\{.*\} (\d+)$/m.exec(metrics)?.[1]);
    });
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }

  test('asks for it round after round, and finds and moves nothing while all is well', async () => {
    const [already, moves] = [await asked(), takeovers()];
    const rounds = 5;
    await until('some rounds are over', async () => (await asked()) >= already + 2 * rounds, {
      withinMs: 30_000,
    });
    assert.deepEqual(findings(), []);
    assert.equal(takeovers(), moves);
  });

  for (const [family, which] of [
    ['ARP', () => address],
    ['NDP', () => address6],
  ] as const) {
    test(`moves it when the answers of its holder do not arrive, over ${family}`, async (t) => {
      const one = which();
      const from = await someHolderOf(cluster, one);
      const startMs = performance.now();
      await eatAnswers(from);
      const heir = await until(
        'another node answers',
        async () => {
          const [name] = await answerersOf(cluster, one);
          const host = cluster.hosts.nodes.find((node) => node.name === name);
          return host !== from && host;
        },
        { withinMs: movesWithinMs },
      );
      t.diagnostic(`another node answers after ${Math.round(performance.now() - startMs)} ms`);
      await cluster.client.forgetNeighbours();
      assert.match(await cluster.client.curl(urlOf(one)), new RegExp(`served by ${heir.name}`));
      await passFrames(from);
      assert.deepEqual(await answerersOf(cluster, one), [heir.name]);
      assert.ok(findings().includes('Silent'), findings().join());
      const moved = logged('"Unanswered"').find((line) => line['address'] === one);
      assert.equal(moved?.['from'], from.name);
    });
  }

  test('says that it may be deaf when nobody is heard to answer, and moves nothing', async () => {
    const from = await someHolderOf(cluster, address);
    const moves = takeovers();
    await eatAnswersTo(cluster.hosts.nodes.filter((host) => host !== from));
    await until('it says so', () => findings().includes('Uncertain'), { withinMs: movesWithinMs });
    await passFrames(from);
    assert.equal(takeovers(), moves);
    assert.deepEqual(await answerersOf(cluster, address), [from.name]);
  });

  test('names a foreign machine that answers for it too, and moves nothing', async () => {
    const { client } = cluster.hosts;
    const moves = takeovers();
    await client.run('ip', ['address', 'add', `${address}/32`, 'dev', 'eth0']);
    try {
      const found = await until(
        'the machine is named',
        () => logged('"Doubled"').find((line) => line['address'] === address),
        { withinMs: movesWithinMs },
      );
      assert.deepEqual(found['others'], [client.mac]);
      assert.equal(takeovers(), moves);
    } finally {
      await client.run('ip', ['address', 'delete', `${address}/32`, 'dev', 'eth0']);
    }
  });
});
