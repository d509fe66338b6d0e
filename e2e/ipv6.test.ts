/**
 * Proves at a client of the LAN, with its kernel and its own tools, that an IPv6 address is answered for as an IPv4
 * address is: who answers, takeover, planned move, what the client's neighbour table makes of it, a defence against who
 * wants the address for itself, and a switch that forwards groups only to who has joined them.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { until } from '../daemon/testing/until.ts';
import type { Cluster } from './lab/cluster.ts';
import { cutHolder, openSteadyProbe, stopHolder } from './lab/failover.ts';
import { answerersOf, isServedFrom, someHolderOf } from './lab/holders.ts';
import type { Host } from './lab/host.ts';
import { portsOf, snoop } from './lab/links.ts';
import { percentilesOf } from './lab/percentiles.ts';
import { fromRoot } from './lab/programs.ts';
import { needsLab } from './lab/requirements.ts';
import { openServing } from './lab/serving.ts';
import { assigned } from './lab/steps/addresses.ts';
import { urlOf } from './lab/url.ts';

const address = '2001:db8::210';
const group = 'ff02::1:ff00:210';

describe('IPv6', needsLab, () => {
  let cluster: Cluster;
  let four: string;
  before(async () => {
    ({ cluster, address: four } = await openServing());
    await cluster.applyFile('examples/ipv6.yaml');
    await someHolderOf(cluster, address);
  });
  after(() => cluster[Symbol.asyncDispose]());
  afterEach(() => assert.deepEqual(cluster.crashes(), []));

  const holder = (): Promise<Host> => someHolderOf(cluster, address);
  const answerers = (): Promise<string[]> => answerersOf(cluster, address);
  const neighbour = (): Promise<string> => cluster.client.neighbour(address);
  const onClient = (...words: readonly string[]): Promise<string> =>
    cluster.client.host.run('ip', words);

  /** The client is served, and where every node serves what comes to it, by this one. */
  async function servedFrom(node: Host, by = address): Promise<void> {
    const served = await cluster.client.curl(urlOf(by));
    assert.ok(isServedFrom(cluster, node, served), served);
  }

  /** Kills the speaker that holds the address; the node itself goes on. Resolves when another one answers. */
  async function killHolder(): Promise<{ from: Host; heir: Host }> {
    const from = await holder();
    from.running('speaker').signal('SIGKILL');
    const heir = await until(`${address} has left ${from.name}`, async () => {
      const host = await holder();
      return host !== from && host;
    });
    return { from, heir };
  }

  test('exactly one node answers, and serves who asks for it', async () => {
    const node = await holder();
    assert.deepEqual(await answerers(), [node.name]);
    await cluster.client.forgetNeighbours();
    await servedFrom(node);
    assert.match(await neighbour(), new RegExp(`^lladdr ${node.mac} (REACHABLE|DELAY|STALE)`));
  });

  test('a Service can have an address of each family, each answered for by one node', async () => {
    await cluster.applyFile('examples/dual-stack.yaml');
    for (const one of ['198.51.100.248', '2001:db8::200']) {
      const node = await someHolderOf(cluster, one);
      assert.deepEqual(await answerersOf(cluster, one), [node.name]);
      await servedFrom(node, one);
    }
    assert.match(await assigned(cluster, 'dual-stack'), /^(198\.51\.100\.248|2001:db8::200)$/);
  });

  test('after a power cut another node answers within a second, and keeps the address', async (t) => {
    await using probe = await openSteadyProbe(cluster, address);
    const samplesMs: number[] = [];
    for (let cut = 0; cut < 3; cut++) {
      samplesMs.push((await cutHolder(cluster, address, probe)).blackoutMs);
    }
    const { p50, max } = percentilesOf(samplesMs);
    t.diagnostic(`no answer for ${samplesMs.map((ms) => ms.toFixed(1)).join(', ')} ms`);
    assert.ok(p50 <= 400, `p50 ${p50} ms of ${samplesMs.join(', ')}`);
    assert.ok(max <= 1_000, `max ${max} ms of ${samplesMs.join(', ')}`);
  });

  test('a speaker that is stopped in order hands over, and no new connection fails', async () => {
    const move = await stopHolder(cluster, address, 80);
    assert.notEqual(move.to, move.from);
    assert.ok(move.connections > 20, `${move.connections} connections`);
    assert.deepEqual(move.failed, []);
    assert.ok(move.blackoutMs <= 100, `${move.blackoutMs} ms without an answer`);
  });

  for (const state of ['reachable', 'stale']) {
    test(`a takeover moves the client's entry that is ${state}, without a question to all`, async () => {
      const before = await holder();
      const entry = ['to', address, 'lladdr', before.mac, 'dev', 'eth0'];
      const questions = `icmp6 and ip6[40] = 135 and ether multicast and ether src ${cluster.client.host.mac}`;
      const asked = await cluster.client.capture(questions, async () => {
        before.running('speaker').signal('SIGKILL');
        await onClient('neighbour', 'replace', ...entry, 'nud', state);
        await until('the entry has left', async () => !(await neighbour()).includes(before.mac));
      });
      assert.deepEqual(asked, []);
      const moved = await neighbour();
      assert.ok(
        cluster.hosts.nodes.some(({ mac }) => moved.startsWith(`lladdr ${mac}`)),
        moved,
      );
      before.start('speaker');
      await cluster.memberAgain(before);
    });
  }

  test('a takeover makes no entry where the client has none: it asks, and is answered', async () => {
    await onClient('neighbour', 'flush', 'to', address);
    const { from, heir } = await killHolder();
    assert.equal(await neighbour(), '');
    await servedFrom(heir);
    from.start('speaker');
    await cluster.memberAgain(from);
  });

  test('a client that checks on its entry with a unicast question is answered', async () => {
    const { mac } = await holder();
    const entry = ['to', address, 'lladdr', mac, 'dev', 'eth0', 'nud', 'probe'];
    await onClient('neighbour', 'replace', ...entry);
    await until('the entry is confirmed', async () => {
      return (await neighbour()) === `lladdr ${mac} REACHABLE`;
    });
  });

  test('a station that wants the address for itself finds in its probe that it is taken', async () => {
    const { host } = cluster.client;
    await host.run('sysctl', ['-qw', 'net.ipv6.conf.eth0.accept_dad=1']);
    await onClient('address', 'add', `${address}/128`, 'dev', 'eth0');
    await until('the kernel has given it up', async () => {
      return (await onClient('address', 'show', 'to', address)).includes('dadfailed');
    });
    await onClient('address', 'delete', `${address}/128`, 'dev', 'eth0');
    assert.equal((await answerers()).length, 1);
  });

  test('a hostile station moves nothing, and is named', async () => {
    const before = await holder();
    const takeovers = () => cluster.logs(10_000).split('"took over"').length;
    const already = takeovers();
    const flood = fromRoot('e2e/lab/programs/flood.ts');
    await cluster.client.host.run(process.execPath, [flood, address, '2000']);
    assert.deepEqual(await answerers(), [before.name]);
    assert.equal(takeovers(), already, cluster.logs(10));
    const conflict = /"another station answers for an address held here".*02:00:00:00:00:66/;
    assert.match(before.logOf('speaker', 1_000), conflict);
  });

  test('a switch that forwards groups to who has joined them brings the questions, wherever the holder is', async () => {
    const [any] = cluster.hosts.nodes;
    assert(any);
    await snoop(any);
    const first = await holder();
    await until('the switch knows the holder', async () => {
      return (await portsOf(any, group)).join() === first.name;
    });
    // Until it has waited for answers it goes on flooding, and would hide that nobody had joined.
    const others = cluster.hosts.nodes.filter((host) => host !== first);
    await until('the switch has stopped flooding', async () => {
      const [bystander] = others;
      return bystander !== undefined && !(await hears(bystander, group));
    });
    for (let asked = 0; asked < 10; asked++) {
      await onClient('neighbour', 'flush', 'to', address);
      assert.equal(await cluster.client.ask(address), first.mac);
    }
    const { from, heir } = await killHolder();
    // What told the client was the announcement: it comes first, and to all.
    await until('the switch knows the heir', async () => {
      return (await portsOf(any, group)).includes(heir.name);
    });
    await until('the switch forgets who is gone', async () => {
      return (await portsOf(any, group)).join() === heir.name;
    });
    from.start('speaker');
    await cluster.memberAgain(from);
    const move = await stopHolder(cluster, address, 80);
    assert.deepEqual(move.failed, []);
    assert.equal((await answerersOf(cluster, four)).length, 1);
  });

  /** Whether a question of the client to the group comes by on this host's wire. */
  async function hears(bystander: Host, to: string): Promise<boolean> {
    const args = ['1', 'tcpdump', '-i', 'eth0', '-n', '-p', '--immediate-mode', '-c', '1'];
    const heard = bystander.outcomeOf('timeout', [...args, `ip6 dst ${to}`]);
    await cluster.client.answers(address);
    return (await heard).code === 0;
  }
});
