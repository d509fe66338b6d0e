/**
 * Proves at a client of the LAN what becomes of an address while processes stand still and wires are bad: who answers for
 * it (one node, by the MACs that a tap sees), for how long nobody does, which new connections fail, and that nothing
 * moves that need not. `LAB_LENGTH=full` plays what takes minutes, too.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { systemClock } from '../daemon/clock.ts';
import type { Cluster } from './lab/cluster.ts';
import { answerersOf, someHolderOf } from './lab/holders.ts';
import type { Host } from './lab/host.ts';
import { assertMovedOnce, assertUnnoticed, holdersIn, unnoticedMs } from './lab/judge-trial.ts';
import { inFull, isFull } from './lab/length.ts';
import { heal, linkDown, linkUp, partition, portDown, portUp } from './lab/links.ts';
import { needsLab } from './lab/requirements.ts';
import { lateFrames, loseFrames, muddleFrames, smooth } from './lab/rough.ts';
import { openServing } from './lab/serving.ts';
import { type Trial, trialOf } from './lab/trial.ts';
import { until } from '../daemon/testing/until.ts';

describe('faults', needsLab, () => {
  let cluster: Cluster;
  let address: string;
  before(async () => {
    ({ cluster, address } = await openServing());
  });
  after(() => cluster[Symbol.asyncDispose]());
  afterEach(() => assert.deepEqual(cluster.crashes(), []));

  const holder = (): Promise<Host> => someHolderOf(cluster, address);
  const answerers = (): Promise<string[]> => answerersOf(cluster, address);
  const others = (host: Host): readonly Host[] =>
    cluster.hosts.nodes.filter((each) => each !== host);
  const follower = async (): Promise<Host> => {
    const [host] = others(await holder());
    assert.ok(host !== undefined);
    return host;
  };
  const during = (happen: () => Promise<unknown>): Promise<Trial> =>
    trialOf(cluster, address, happen);

  const freeze = async (host: Host, forMs: number): Promise<void> => {
    const { signal } = host.running('speaker');
    signal('SIGSTOP');
    await systemClock.sleep(forMs);
    signal('SIGCONT');
    await cluster.memberAgain(host);
  };

  describe('a speaker that stands still', () => {
    test('for less than its peers would wait keeps its address', async () => {
      const host = await holder();
      assertUnnoticed(await during(() => freeze(host, 50)), host, cluster);
    });

    // Its last pulse may be 100 ms old when it stops, and who has been silent for 300 ms is dead.
    test('for as long as they may wait keeps its address or loses it, and never shares it', async () => {
      const host = await holder();
      const trial = await during(() => freeze(host, 200));
      if (trial.spells.length === 1) assertUnnoticed(trial, host, cluster);
      else assertMovedOnce(trial, host, cluster);
    });

    test('for longer is replaced, and takes nothing back', async () => {
      const host = await holder();
      assertMovedOnce(await during(() => freeze(host, 1_000)), host, cluster);
    });

    inFull('for a minute takes nothing back either', async () => {
      const host = await holder();
      assertMovedOnce(await during(() => freeze(host, 60_000)), host, cluster);
    });

    inFull('and holds nothing is not missed', async () => {
      const [host, other] = [await holder(), await follower()];
      assertUnnoticed(await during(() => freeze(other, 1_000)), host, cluster);
    });
  });

  describe('a follower', () => {
    const games = [
      { name: 'whose cable is pulled', begin: portDown, end: portUp, play: test },
      { name: 'whose link is taken down', begin: linkDown, end: linkUp, play: inFull },
    ];
    for (const { name, begin, end, play } of games) {
      play(`${name} and comes back moves nothing`, async () => {
        const [host, other] = [await holder(), await follower()];
        const trial = await during(async () => {
          await begin(other);
          await systemClock.sleep(700);
          await end(other);
          await cluster.memberAgain(other);
        });
        assertUnnoticed(trial, host, cluster);
      });
    }
  });

  describe('a wire', () => {
    const badForMs = isFull ? 30_000 : 2_000;
    afterEach(() => smooth(cluster.hosts.all));

    for (const percent of isFull ? [1, 5, 20] : [20]) {
      test(`that loses ${percent} % of all frames moves nothing`, async () => {
        const host = await holder();
        const trial = await during(async () => {
          await loseFrames(host, percent);
          await systemClock.sleep(badForMs);
        });
        assertUnnoticed(trial, host, cluster);
      });
    }

    test('that doubles frames and muddles their order moves nothing', async () => {
      const host = await holder();
      const trial = await during(async () => {
        await muddleFrames(cluster.hosts.all);
        await systemClock.sleep(badForMs);
      });
      assert.ok((await lateFrames(host)) > 0, 'no frame was late');
      assertUnnoticed(trial, host, cluster);
    });
  });

  describe('a split', () => {
    test('leaves each side a holder; when it has healed there is one, and no client waited', async () => {
      const host = await holder();
      const { client, control } = cluster.hosts;
      const trial = await during(async () => {
        await partition([host, client, control], others(host));
        await systemClock.sleep(isFull ? 60_000 : 2_000);
        await heal(host);
        const one = async () => (await answerers()).length === 1;
        await until('one of them has yielded', one);
      });
      const [, heir] = holdersIn(trial);
      assert.ok(heir !== undefined && heir !== host.name, holdersIn(trial).join(', '));
      assert.deepEqual(await answerers(), [heir]);
      // Who hears the other's next pulse yields: both answer for one pulse interval at most.
      assert.deepEqual(new Set(holdersIn(trial)), new Set([host.name, heir]));
      const firstMs = trial.spells.find((spell) => spell.host === heir)?.fromMs ?? 0;
      const lastMs = trial.spells.findLast((spell) => spell.host === host.name)?.toMs ?? 0;
      assert.ok(lastMs - firstMs <= 200, `both answered for ${lastMs - firstMs} ms`);
      assert.ok(trial.blackoutMs <= unnoticedMs, `${trial.blackoutMs} ms without an answer`);
    });
  });
});
