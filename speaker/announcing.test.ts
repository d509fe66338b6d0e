import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

import { type Address, formatAddress, parseAddress } from '../net/address.ts';
import { Announcer, type Conflict } from './announcer.ts';
import { etherTypes } from './wire/ethernet.ts';
import { arp } from './wire/family.ts';
import { arpFilter } from './wire/filter.ts';
import { captured } from './wire/testing/captured.ts';
import { readLinks } from './io/link.ts';
import { PacketSocket } from './io/packet-socket.ts';
import { Poll } from './io/poll.ts';
import { ip, needsTwoHosts, TwoHosts } from './io/testing/two-hosts.ts';

const stranger = '02:00:00:00:00:66';

const at = (text: string): Address => {
  const address = parseAddress(text);
  assert(address);
  return address;
};

/** An announcer on the near host, with the kernel of the far host as its judge. */
describe('an announcer on a real link', needsTwoHosts, () => {
  let hosts: TwoHosts;
  before(() => {
    hosts = new TwoHosts();
  });
  after(() => hosts?.[Symbol.dispose]());

  function speakFor(address: Address) {
    using _ = hosts.enter(hosts.near);
    const link = readLinks().find(({ name }) => name === hosts.near.link);
    assert(link?.mac);
    const filter = arpFilter([address]);
    const socket = new PacketSocket({ link, etherType: etherTypes.arp, filter });
    const announcer = new Announcer({ lan: socket, mac: link.mac, random: () => 0.5 });
    announcer.hold(address, 0);
    const poll = new Poll();
    poll.add(socket.fd);
    /** Answers what is there; waits a little for it. */
    const serve = (): readonly Conflict[] =>
      poll.wait(5).length === 0 ? [] : announcer.answer(socket.receive().frames);
    const close = (): void => {
      poll.close();
      socket.close();
    };
    return { socket, announcer, serve, [Symbol.dispose]: close };
  }

  const entryOf = (address: Address): string => {
    return hosts.neighbour(hosts.far, formatAddress(address));
  };

  function setEntry(address: Address, mac: string, state: string): void {
    const { namespace, link } = hosts.far;
    const words = ['to', formatAddress(address), 'lladdr', mac, 'nud', state, 'dev', link];
    ip('-n', namespace, 'neighbour', 'replace', ...words);
  }

  function serveUntil(what: string, serve: () => unknown, reached: () => boolean): void {
    const endMs = performance.now() + 3_000;
    do {
      serve();
      assert(performance.now() < endMs, what);
    } while (!reached());
  }

  it('is found by a kernel that asks', () => {
    const vip = at('198.51.100.40');
    using speaker = speakFor(vip);
    hosts.ask(hosts.far, formatAddress(vip));
    const reachable = `lladdr ${hosts.near.mac} REACHABLE`;
    serveUntil('the far kernel finds it', speaker.serve, () => entryOf(vip).includes(reachable));
    assert.deepEqual(speaker.announcer.countsOf(vip)?.answers, 1);
  });

  it('is still found when the kernel checks on it with unicast questions', () => {
    const vip = at('198.51.100.41');
    using speaker = speakFor(vip);
    setEntry(vip, hosts.near.mac, 'probe');
    serveUntil('the entry is confirmed', speaker.serve, () => entryOf(vip).endsWith('REACHABLE'));
  });

  for (const state of ['reachable', 'stale', 'delay']) {
    it(`moves a neighbour entry that is ${state} and a moment old, with either form alone`, () => {
      const vip = at('198.51.100.42');
      using speaker = speakFor(vip);
      for (const frame of arp.unsolicited(vip, hosts.near.mac)) {
        setEntry(vip, stranger, state);
        assert(entryOf(vip).startsWith(`lladdr ${stranger}`));
        speaker.socket.send([frame]);
        assert(entryOf(vip).startsWith(`lladdr ${hosts.near.mac}`), entryOf(vip));
      }
    });
  }

  it('takes an address over with its first announcement', () => {
    const vip = at('198.51.100.43');
    using speaker = speakFor(vip);
    setEntry(vip, stranger, 'reachable');
    speaker.announcer.tick(0);
    assert(entryOf(vip).startsWith(`lladdr ${hosts.near.mac}`));
  });

  it('tells a station that probes for the address that it is taken', async () => {
    const vip = at('198.51.100.44');
    using speaker = speakFor(vip);
    const words = ['-D', '-c', '1', '-w', '2', '-I', hosts.far.link, formatAddress(vip)];
    const probe = startOnFar(words);
    while (probe.exitCode === null) {
      speaker.serve();
      await turn();
    }
    assert.equal(probe.exitCode, 1, 'arping says that the address is in use');
  });

  it('names a station that claims the address', async () => {
    const { far } = hosts;
    const vip = at('198.51.100.45');
    using speaker = speakFor(vip);
    ip('-n', far.namespace, 'address', 'add', '198.51.100.45/32', 'dev', far.link);
    const claim = startOnFar(['-U', '-c', '1', '-I', far.link, formatAddress(vip)]);
    let conflicts: readonly Conflict[] = [];
    serveUntil(
      'the claim is heard',
      () => (conflicts = speaker.serve()),
      () => conflicts.length > 0,
    );
    assert.deepEqual(conflicts, [{ address: vip, mac: far.mac }]);
    claim.kill('SIGKILL');
    await once(claim, 'exit');
    ip('-n', far.namespace, 'address', 'delete', '198.51.100.45/32', 'dev', far.link);
  });

  it('goes on after 50,000 hostile frames from the wire', () => {
    const vip = at('198.51.100.46');
    using speaker = speakFor(vip);
    using _ = hosts.enter(hosts.far);
    const link = readLinks().find(({ name }) => name === hosts.far.link);
    assert(link);
    using attacker = new PacketSocket({ link, etherType: etherTypes.arp });
    const frames = hostileFrames(1_000, vip);
    const start = performance.now();
    for (let times = 0; times < 50; times++) {
      assert.deepEqual(attacker.send(frames), { sent: frames.length });
      speaker.announcer.answer(speaker.socket.receive().frames);
    }
    assert(performance.now() - start < 5_000);
    hosts.ask(hosts.far, formatAddress(vip));
    const reachable = `lladdr ${hosts.near.mac} REACHABLE`;
    serveUntil('the far kernel finds it', speaker.serve, () => entryOf(vip).includes(reachable));
  });

  function startOnFar(words: readonly string[]) {
    using _ = hosts.enter(hosts.far);
    return spawn('arping', words, { stdio: 'ignore' });
  }
});

/** Questions for this address with a few bytes changed, cut short, or all noise behind the EtherType. */
function hostileFrames(count: number, { value }: Address): readonly Uint8Array[] {
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48_271) % 0x7fffffff) % below;
  return Array.from({ length: count }, (_, index) => {
    const frame = new Uint8Array(60);
    frame.set(captured.question);
    new DataView(frame.buffer).setUint32(38, Number(value));
    const changes = index % 4 === 0 ? 100 : random(4);
    for (let times = 0; times < changes; times++) frame[14 + random(46)] = random(256);
    return frame.subarray(0, index % 5 === 0 ? 14 + random(46) : 60);
  });
}
