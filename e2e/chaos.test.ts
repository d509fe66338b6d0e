/**
 * Proves that whatever happens to two of three nodes at any moment, one of them the holder, every address is answered
 * for by exactly one node once it is over, and that meanwhile clients were never without an answer for long.
 * The games are drawn from a seed, which the test names: `CHAOS_SEED=n` draws the same ones again.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { env } from 'node:process';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../daemon/clock.ts';
import { drawFrom } from './faults/draw.ts';
import type { Cluster } from './lab/cluster.ts';
import { openSteadyProbe } from './lab/failover.ts';
import { answerersOf, someHolderOf } from './lab/holders.ts';
import type { Host } from './lab/host.ts';
import { heal, linkDown, linkUp, partition, portDown, portUp } from './lab/links.ts';
import { needsLab } from './lab/requirements.ts';
import { openServing } from './lab/serving.ts';
import { until } from '../daemon/testing/until.ts';

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

const rounds = 6;

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
    const draw = drawFrom(seed);
    const [address = ''] = addresses;
    await using probe = await openSteadyProbe(cluster, address);
    const blackout = await probe.blackoutOf(async () => {
      for (let round = 0; round < rounds; round++) {
        const holder = await someHolderOf(cluster, address);
        const others = cluster.hosts.nodes.filter((host) => host !== holder);
        const victims = [holder, ...others.slice(draw(2)).slice(0, 1)];
        const drawn = victims.map((victim) => drawGame(victim, draw));
        played.push(drawn.map(describeGame).join(' + '));
        await Promise.all(drawn.map((game) => play(cluster, game)));
      }
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

type Drawn = {
  readonly victim: Host;
  readonly game: Game;
  readonly beginsMs: number;
  readonly lastsMs: number;
};

function drawGame(victim: Host, draw: (limit: number) => number): Drawn {
  const game = games[draw(games.length)];
  if (game === undefined) throw new Error('a game was drawn that does not exist');
  return { victim, game, beginsMs: draw(700), lastsMs: 50 + draw(1_500) };
}

const describeGame = ({ victim, game, beginsMs, lastsMs }: Drawn): string =>
  `${victim.name} ${game.name} from ${beginsMs} ms for ${lastsMs} ms`;

async function play(cluster: Cluster, { victim, game, beginsMs, lastsMs }: Drawn): Promise<void> {
  const others = cluster.hosts.nodes.filter((host) => host !== victim);
  await systemClock.sleep(beginsMs);
  await game.begin(victim, others);
  await systemClock.sleep(lastsMs);
  await game.end(victim);
}
