/**
 * Proves at a client of the LAN what becomes of an address while the link of its holder is exchanged or renumbered,
 * and while somebody on the LAN sends whatever a hostile station can.
 */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { after, afterEach, before, describe, test } from 'node:test';
import { systemClock } from '../daemon/clock.ts';
import { until } from '../daemon/testing/until.ts';
import type { Cluster } from './lab/cluster.ts';
import { openSteadyProbe } from './lab/failover.ts';
import { answerersOf, someHolderOf } from './lab/holders.ts';
import type { Host } from './lab/host.ts';
import { bridgeLink, changeMac, renameLink, replaceLink, unbridgeLink } from './lab/links.ts';
import { needsLab } from './lab/requirements.ts';
import { openServing } from './lab/serving.ts';
import { writtenStatuses } from './lab/statuses.ts';

const flood = fileURLToPath(new URL('./lab/programs/flood.ts', import.meta.url));

describe('links', needsLab, () => {
  let cluster: Cluster;
  let address: string;
  before(async () => {
    ({ cluster, address } = await openServing());
  });
  after(() => cluster[Symbol.asyncDispose]());
  afterEach(() => assert.deepEqual(cluster.crashes(), []));

  const holder = (): Promise<Host> => someHolderOf(cluster, address);
  const writtenMac = async () =>
    (await writtenStatuses(cluster.api)).find(({ addresses }) => addresses?.includes(address))?.mac;

  test('a link that is made anew under its name starts a new life', async () => {
    // The address has moved before, so that its term is not the one that a newcomer would give it.
    const first = await holder();
    first.running('speaker').signal('SIGKILL');
    const from = await until('another node holds it', async () => {
      const host = await holder();
      return host !== first && host;
    });
    first.start('speaker');
    await cluster.memberAgain(first);

    await using probe = await openSteadyProbe(cluster, address);
    const blackout = await probe.blackoutOf(() => replaceLink(from));
    assert.ok(blackout.ms <= 1_000, `${blackout.ms} ms without an answer`);
    await cluster.memberAgain(from);
    assert.equal((await answerersOf(cluster, address)).length, 1);
    // Who knows the same as its peers has no questions: what is left are pulses, which go to all.
    const talk = 'ether proto 0x88b5 and not ether multicast';
    await until('the speakers agree', () => isQuiet(first, talk));
  });

  test('a holder whose link gets another name goes on under it', async () => {
    const host = await holder();
    await using probe = await openSteadyProbe(cluster, address);
    for (const [from, to] of [
      ['eth0', 'lan0'],
      ['lan0', 'eth0'],
    ] as const) {
      const blackout = await probe.blackoutOf(() => renameLink(host, from, to));
      assert.ok(blackout.ms <= 1_000, `${blackout.ms} ms without an answer`);
      await cluster.memberAgain(host);
      assert.equal((await answerersOf(cluster, address)).length, 1);
    }
  });

  test('a holder whose link becomes the port of a bridge goes on there', async () => {
    const host = await holder();
    await using probe = await openSteadyProbe(cluster, address);
    for (const change of [bridgeLink, unbridgeLink]) {
      const blackout = await probe.blackoutOf(() => change(host));
      assert.ok(blackout.ms <= 1_000, `${blackout.ms} ms without an answer`);
      await cluster.memberAgain(host);
      await until(
        'one node answers',
        async () => (await answerersOf(cluster, address)).length === 1,
      );
      // A port speaks for nobody: its bridge does.
      const left = change === bridgeLink ? 'eth0' : 'br0';
      assert.match(host.logOf('speaker', 50), new RegExp(`"a link is gone".*"${left}"`));
    }
  });

  test('a holder whose MAC changes goes on answering, with the new one', async () => {
    const host = await holder();
    const mac = `02:00:00:00:01:${host.mac.slice(-2)}`;
    await changeMac(host, mac);
    await until('the new MAC answers', async () => (await cluster.client.ask(address)) === mac);
    await until('the status says so', async () => (await writtenMac()) === mac);
    await changeMac(host);
    await until('the old one answers again', async () => (await holder()) === host);
    await until('the status says that', async () => (await writtenMac()) === host.mac);
    assert.deepEqual(await answerersOf(cluster, address), [host.name]);
  });

  test('whatever a hostile station sends, nothing moves', async () => {
    const before = await holder();
    const takeovers = () => cluster.logs(10_000).split('"took over"').length;
    const already = takeovers();
    const flooding = cluster.client.host.run(process.execPath, [flood, address, '3000']);
    await systemClock.sleep(1_000);
    // What the node said under its old MAC is played to it again under the new one.
    const mac = `02:00:00:00:01:${before.mac.slice(-2)}`;
    await changeMac(before, mac);
    await flooding;
    assert.equal(await cluster.client.ask(address), mac);
    await changeMac(before);
    assert.deepEqual(await answerersOf(cluster, address), [before.name]);
    assert.equal(takeovers(), already, cluster.logs(10));
  });
});

/** Whether a host sends and hears nothing of that kind for a while. */
async function isQuiet(host: Host, filter: string): Promise<boolean> {
  const args = ['1.5', 'tcpdump', '-i', 'eth0', '-n', '--immediate-mode', '-c', '1', filter];
  const { code } = await host.outcomeOf('timeout', args);
  return code !== 0;
}
