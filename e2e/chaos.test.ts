/**
 * Proves that whatever happens to two of three nodes at any moment, every address is answered for by exactly one
 * node once it is over, and that meanwhile clients were never without an answer for long. The games are
 * drawn from a seed, which a failure names: `CHAOS_SEED=n` draws the same ones again.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { env } from 'node:process';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../daemon/clock.ts';
import type { Cluster } from './lab/cluster.ts';
import { openSteadyProbe } from './lab/failover.ts';
import { answerersOf, someHolderOf } from './lab/holders.ts';
import type { Host } from './lab/host.ts';
import { heal, linkDown, linkUp, partition, portDown, portUp } from './lab/links.ts';
import { needsLab } from './lab/requirements.ts';
import { openServing } from './lab/serving.ts';
import { until } from './lab/until.ts';

type Game = {
  readonly name: string;
  readonly begin: (host: Host, others: readonly Host[]) => Promise<void> | void;
  readonly end: (host: Host) => unknown;
};

const games: readonly Game[] = [
  { name: 'power cut', begin: (host) => host.cutPower(), end: (host) => host.restorePower() },
  {
    name: 'kill -9',
    begin: (host) => host.running('speaker').signal('SIGKILL'),
    end: (host) => host.start('speaker'),
  },
  {
    name: 'SIGTERM',
    begin: (host) =>
      host
        .running('speaker')
        .stop()
        .then(() => {}),
    end: (host) => host.start('speaker'),
  },
  {
    name: 'SIGSTOP',
    begin: (host) => host.running('speaker').signal('SIGSTOP'),
    end: (host) => host.running('speaker').signal('SIGCONT'),
  },
  { name: 'cable pulled', begin: portDown, end: portUp },
  { name: 'link down', begin: linkDown, end: linkUp },
  {
    name: 'cut off from the other nodes',
    begin: (host, others) => partition([host], others),
    end: heal,
  },
];

/** The same numbers below `limit` again and again for a seed: a linear congruential generator (Knuth). */
function drawFrom(seed: number): (limit: number) => number {
  let state = BigInt(seed);
  return (limit) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
    return Number((state >> 33n) % BigInt(limit));
  };
}

describe('chaos', needsLab, () => {
  const seed = Number(env['CHAOS_SEED'] ?? randomInt(2 ** 31));
  const addresses: string[] = [];
  let cluster: Cluster;
  before(async () => {
    const serving = await openServing();
    ({ cluster } = serving);
    await cluster.applyFile('examples/pinned.yaml');
    addresses.push(serving.address, '198.51.100.210');
    for (const address of addresses) await someHolderOf(cluster, address);
  });
  after(() => cluster[Symbol.asyncDispose]());

  test('two of three nodes are played with, and every address comes through', async (t) => {
    const played: string[] = [];
    await using probe = await openSteadyProbe(cluster, addresses[0] ?? '');
    const blackout = await probe.blackoutOf(async () => {
      // Each victim has a thread of games of its own, so that they overlap; the third node is left alone.
      const victims = cluster.hosts.nodes.slice(0, 2);
      const play = (victim: Host, index: number): Promise<void> =>
        playWith(victim, { draw: drawFrom(seed + index), played, cluster });
      await Promise.all(victims.map(play));
    });
    const told = `CHAOS_SEED=${seed}: ${played.join('; ')}`;
    for (const address of addresses) {
      await until(`one node answers for ${address} (${told})`, async () => {
        return (await answerersOf(cluster, address)).length === 1;
      });
    }
    t.diagnostic(`${told}; longest without an answer: ${blackout.ms.toFixed(1)} ms`);
    assert.ok(blackout.ms <= 2_000, `${blackout.ms} ms without an answer; ${told}`);
  });
});

async function playWith(
  victim: Host,
  {
    draw,
    played,
    cluster,
  }: { draw: (limit: number) => number; played: string[]; cluster: Cluster },
): Promise<void> {
  const others = cluster.hosts.nodes.filter((host) => host !== victim);
  for (let round = 0; round < 6; round++) {
    const game = games[draw(games.length)];
    if (game === undefined) throw new Error('a game was drawn that does not exist');
    const lastsMs = 50 + draw(1_500);
    played.push(`${victim.name} ${game.name} for ${lastsMs} ms`);
    await systemClock.sleep(draw(700));
    await game.begin(victim, others);
    await systemClock.sleep(lastsMs);
    await game.end(victim);
  }
}
