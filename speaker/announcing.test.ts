import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

import { type Address, addressToBytes, formatAddress, parseAddress } from '../net/address.ts';
import { Announcer, type Conflict } from './announcer.ts';
import { needsTwoHosts, ip, TwoHosts } from './io/testing/two-hosts.ts';
import { readLinks } from './io/link.ts';
import { Poll } from './io/poll.ts';
import { Memberships } from './memberships.ts';
import { NeighbourSockets } from './neighbour-sockets.ts';
import { stations } from './testing/stations.ts';
import { neighboursOf } from './wire/family.ts';
import { formatFrame } from './wire/ethernet.ts';
import { formatNdp, parseNdp } from './wire/ndp.ts';
import { captured } from './wire/testing/captured.ts';
import { capturedNdp } from './wire/testing/captured-ndp.ts';

const stranger = '02:00:00:00:00:66';

const at = (text: string): Address => {
  const address = parseAddress(text);
  assert(address);
  return address;
};

const questions = {
  IPv4: { frame: captured.question, targetAt: 38 },
  IPv6: { frame: capturedNdp.question, targetAt: 62 },
} as const;

/** An announcer on the near host, with the kernel of the far host as its judge. */
function onARealLink(hosts: () => TwoHosts) {
  const linkOf = (host: TwoHosts['near']) => {
    const link = readLinks().find(({ name }) => name === host.link);
    assert(link?.mac);
    return { ...link, mac: link.mac };
  };

  function speakFor(address: Address) {
    const { near } = hosts();
    using _ = hosts().enter(near);
    const link = linkOf(near);
    const sockets = new NeighbourSockets(link);
    const memberships = new Memberships(link);
    const announcer = new Announcer({ lan: sockets, mac: link.mac, random: () => 0.5 });
    announcer.hold(address, 0);
    sockets.listenFor([address]);
    memberships.follow([address]);
    memberships.settle();
    const poll = new Poll();
    for (const fd of sockets.fds) poll.add(fd);
    /** Answers what is there; waits a little for it. */
    const serve = (): readonly Conflict[] =>
      poll.wait(5).length === 0 ? [] : announcer.answer(sockets.receive());
    const close = (): void => {
      poll.close();
      sockets[Symbol.dispose]();
      memberships[Symbol.dispose]();
    };
    return { sockets, announcer, serve, [Symbol.dispose]: close };
  }

  /** Sockets of the far host that hear nothing. */
  function attack(): NeighbourSockets {
    using _ = hosts().enter(hosts().far);
    return new NeighbourSockets(linkOf(hosts().far));
  }

  const entryOf = (address: Address): string => {
    return hosts().neighbour(hosts().far, formatAddress(address));
  };

  function setEntry(address: Address, mac: string, state: string): void {
    const { namespace, link } = hosts().far;
    const words = ['to', formatAddress(address), 'lladdr', mac, 'nud', state, 'dev', link];
    ip('-n', namespace, 'neighbour', 'replace', ...words);
  }
  return { speakFor, attack, entryOf, setEntry };
}

function serveUntil(what: string, serve: () => unknown, reached: () => boolean): void {
  const endMs = performance.now() + 3_000;
  do {
    serve();
    assert(performance.now() < endMs, what);
  } while (!reached());
}

for (const family of ['IPv4', 'IPv6'] as const) {
  describe(`an announcer of ${family} on a real link`, needsTwoHosts, () => {
    let hosts: TwoHosts;
    before(() => {
      hosts = new TwoHosts();
    });
    after(() => hosts?.[Symbol.dispose]());
    const { speakFor, attack, entryOf, setEntry } = onARealLink(() => hosts);
    const station = stations[family];
    const unsolicited = (address: Address, mac: string) =>
      neighboursOf(family).unsolicited(address, mac);

    it('is found by a kernel that asks', () => {
      const vip = at(station.address(40));
      using speaker = speakFor(vip);
      hosts.ask(hosts.far, formatAddress(vip));
      const reachable = `lladdr ${hosts.near.mac} REACHABLE`;
      serveUntil('the far kernel finds it', speaker.serve, () => entryOf(vip).includes(reachable));
      assert.equal(speaker.announcer.counts().answers, 1);
    });

    it('is still found when the kernel checks on it with unicast questions', () => {
      const vip = at(station.address(41));
      using speaker = speakFor(vip);
      setEntry(vip, hosts.near.mac, 'probe');
      serveUntil('the entry is confirmed', speaker.serve, () => entryOf(vip).endsWith('REACHABLE'));
    });

    for (const state of ['reachable', 'stale', 'delay', 'probe']) {
      it(`moves a neighbour entry that is ${state} and a moment old, with each frame alone`, () => {
        const vip = at(station.address(42));
        using speaker = speakFor(vip);
        for (const frame of unsolicited(vip, hosts.near.mac)) {
          setEntry(vip, stranger, state);
          assert(entryOf(vip).startsWith(`lladdr ${stranger}`));
          speaker.sockets.send([frame]);
          assert(entryOf(vip).startsWith(`lladdr ${hosts.near.mac}`), entryOf(vip));
        }
      });
    }

    it('makes no entry where a kernel has none: it will ask', () => {
      const vip = at(station.address(47));
      using speaker = speakFor(vip);
      speaker.announcer.tick(0);
      assert.equal(entryOf(vip), '');
      assert.equal(speaker.announcer.counts().announcements, 1);
    });

    it('takes an address over with its first announcement', () => {
      const vip = at(station.address(43));
      using speaker = speakFor(vip);
      setEntry(vip, stranger, 'reachable');
      speaker.announcer.tick(0);
      assert(entryOf(vip).startsWith(`lladdr ${hosts.near.mac}`));
    });

    it('tells a station that probes for the address that it is taken', async () => {
      const vip = at(station.address(44));
      using speaker = speakFor(vip);
      const outcome = station.probe(hosts, formatAddress(vip));
      while (outcome() === undefined) {
        speaker.serve();
        await turn();
      }
      assert.equal(outcome(), 'taken');
    });

    it('names a station that claims the address', () => {
      const vip = at(station.address(45));
      using speaker = speakFor(vip);
      station.claim(hosts, formatAddress(vip));
      let conflicts: readonly Conflict[] = [];
      serveUntil(
        'the claim is heard',
        () => (conflicts = speaker.serve()),
        () => conflicts.length > 0,
      );
      assert.deepEqual(conflicts, [{ address: vip, mac: hosts.far.mac }]);
      station.yield(hosts, formatAddress(vip));
    });

    it('goes on after 50,000 hostile frames from the wire', () => {
      const vip = at(station.address(46));
      using speaker = speakFor(vip);
      using attacker = attack();
      const frames = hostileFrames(1_000, vip);
      const start = performance.now();
      for (let times = 0; times < 50; times++) {
        assert.deepEqual(attacker.send(frames), { sent: frames.length });
        speaker.announcer.answer(speaker.sockets.receive());
      }
      assert(performance.now() - start < 5_000);
      hosts.ask(hosts.far, formatAddress(vip));
      const reachable = `lladdr ${hosts.near.mac} REACHABLE`;
      serveUntil('the far kernel finds it', speaker.serve, () => entryOf(vip).includes(reachable));
    });
  });
}

describe('what a Linux neighbour takes for an announcement', needsTwoHosts, () => {
  let hosts: TwoHosts;
  before(() => {
    hosts = new TwoHosts();
  });
  after(() => hosts?.[Symbol.dispose]());
  const { speakFor, entryOf, setEntry } = onARealLink(() => hosts);

  it('has the override flag and the MAC in it: without either, nothing moves', () => {
    const vip = at('2001:db8::48');
    using speaker = speakFor(vip);
    const [frame = new Uint8Array()] = neighboursOf('IPv6').unsolicited(vip, hosts.near.mac);
    const message = parseNdp(frame.subarray(14));
    assert(message?.kind === 'advertisement');
    const header = { destination: '33:33:00:00:00:01', source: hosts.near.mac, etherType: 0x86dd };
    for (const weak of [
      { ...message, override: false },
      { ...message, mac: undefined },
    ]) {
      setEntry(vip, stranger, 'reachable');
      speaker.sockets.send([formatFrame({ ...header, payload: formatNdp(weak) })]);
      assert(entryOf(vip).startsWith(`lladdr ${stranger}`), entryOf(vip));
    }
    speaker.sockets.send([frame]);
    assert(entryOf(vip).startsWith(`lladdr ${hosts.near.mac}`), entryOf(vip));
  });
});

/** Questions for this address with a few bytes changed, cut short, or all noise behind the EtherType. */
function hostileFrames(count: number, address: Address): readonly Uint8Array[] {
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48_271) % 0x7fffffff) % below;
  const { frame: question, targetAt } = questions[address.family];
  return Array.from({ length: count }, (_, index) => {
    const frame = new Uint8Array(Math.max(60, question.length));
    frame.set(question);
    frame.set(addressToBytes(address), targetAt);
    const noisy = frame.length - 14;
    const changes = index % 4 === 0 ? 100 : random(4);
    for (let times = 0; times < changes; times++) frame[14 + random(noisy)] = random(256);
    return frame.subarray(0, index % 5 === 0 ? 14 + random(noisy) : frame.length);
  });
}
