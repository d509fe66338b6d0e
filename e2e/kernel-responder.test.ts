/**
 * Proves on the wire that the kernel's answers come and go with the speaker that has them given. The client asks every
 * two milliseconds, and tcpdump says who answered, in order. The rest of what a failover is, is proven by the same
 * tests for both responders: `LAB_RESPONDER=kernel node --test e2e/{failover,links,ipv6}.test.ts`.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { systemClock } from '../daemon/clock.ts';
import { until } from '../daemon/testing/until.ts';
import type { Cluster } from './lab/cluster.ts';
import { cutHolder, openSteadyProbe } from './lab/failover.ts';
import { someHolderOf } from './lab/holders.ts';
import type { Host } from './lab/host.ts';
import { fromRoot } from './lab/programs.ts';
import { needsLab } from './lab/requirements.ts';
import { openServing } from './lab/serving.ts';

describe('an address that the kernel of its holder answers for', needsLab, () => {
  let cluster: Cluster;
  let address: string;
  before(async () => {
    ({ cluster, address } = await openServing('embedded', 'kernel'));
  });
  after(() => cluster[Symbol.asyncDispose]());
  afterEach(() => assert.deepEqual(cluster.crashes(), []));

  const holder = (): Promise<Host> => someHolderOf(cluster, address);
  const movedFrom = (from: Host): Promise<Host> =>
    until(`${address} has left ${from.name}`, async () => {
      const host = await holder();
      return host !== from && host;
    });

  type Turn = { readonly name: string; answers: number };

  /** Who answered while something happened, in order, and how often in a row. */
  async function turnsWhile(happen: () => Promise<void>): Promise<readonly Turn[]> {
    const { client, hosts } = cluster;
    const args = [fromRoot('e2e/lab/programs/questions.ts'), address];
    const frames = await client.capture(answersAbout(address), async () => {
      const questions = client.host.spawn({ name: 'questions', file: process.execPath, args });
      await client.seeFrames(answersAbout(address), 50, 10_000);
      await happen();
      await questions.stop();
    });
    const turns: Turn[] = [];
    for (const frame of frames) {
      const mac = frame.slice(0, 17);
      const name = hosts.nodes.find((host) => host.mac === mac)?.name ?? mac;
      const last = turns.at(-1);
      if (last?.name === name) last.answers++;
      else turns.push({ name, answers: 1 });
    }
    return turns;
  }

  const names = (turns: readonly Turn[]): string[] => turns.map(({ name }) => name);

  test('a question has one answer', async () => {
    const { mac } = await holder();
    const answers = await cluster.client.answers(address);
    // arping asks every second, and it listened for one.
    assert.deepEqual([...new Set(answers)], [mac]);
    assert.ok(answers.length <= 2, String(answers));
  });

  test('a frozen holder is silent before another one answers, and when it wakes up', async () => {
    const from = await holder();
    const { signal } = from.running('speaker');
    let heir = from;
    const turns = await turnsWhile(async () => {
      signal('SIGSTOP');
      heir = await movedFrom(from);
      await systemClock.sleep(500);
      signal('SIGCONT');
      await cluster.memberAgain(from);
    });
    assert.deepEqual(names(turns), [from.name, heir.name]);
    for (const { name, answers } of turns) assert.ok(answers >= 50, `${name} gave ${answers}`);
  });

  test('a killed holder is silent before another one answers, and takes nothing back', async () => {
    const from = await holder();
    let heir = from;
    const turns = await turnsWhile(async () => {
      from.running('speaker').signal('SIGKILL');
      heir = await movedFrom(from);
      from.start('speaker');
      await cluster.memberAgain(from);
    });
    assert.deepEqual(names(turns), [from.name, heir.name]);
  });

  test('a holder that loses its power is replaced within a second', async () => {
    await using probe = await openSteadyProbe(cluster, address);
    const { blackoutMs } = await cutHolder(cluster, address, probe);
    assert.ok(blackoutMs <= 1_000, `${blackoutMs} ms without an answer`);
  });
});

/** For tcpdump: ARP replies whose sender has the address. */
function answersAbout(address: string): string {
  const bits = address.split('.').reduce((value, part) => value * 256 + Number(part), 0);
  return `arp[6:2] = 2 and arp[14:4] = ${bits}`;
}
