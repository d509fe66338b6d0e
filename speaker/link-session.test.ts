import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { until } from '../daemon/testing/until.ts';
import type { Mac } from '../net/mac.ts';
import { parseAddress } from '../net/address.ts';
import { kernelOpener } from './kernel-opener.ts';
import { readLinks } from './io/link.ts';
import { PacketSocket } from './io/packet-socket.ts';
import { type Host, ip, needsTwoHosts, TwoHosts } from './io/testing/two-hosts.ts';
import { ForeignStations } from './foreign-stations.ts';
import type { Identity } from './identity.ts';
import { LinkSession } from './link-session.ts';
import type { Fact } from './orders.ts';
import { needsBpf } from './io/testing/run-program.ts';
import { withoutKey } from './pulse-keys.ts';
import { PulseRing } from './pulse-ring.ts';
import { SpeakersSocket } from './speakers-socket.ts';
import { arp } from './wire/family.ts';
import { arpFilter } from './wire/filter.ts';
import { etherTypes, formatFrame } from './wire/ethernet.ts';
import { formatArp } from './wire/arp.ts';

const vip = '198.51.100.40';

describe('a session on a real link', needsTwoHosts, () => {
  let hosts: TwoHosts;
  let nowMs: number;
  let said: bigint;
  let facts: Fact[];
  let identity: Identity;
  beforeEach(() => {
    hosts = new TwoHosts();
    nowMs = 1_000;
    said = 0n;
    facts = [];
    let drawn = 0n;
    identity = {
      node: 'node-1',
      boots: new Set(),
      ring: new PulseRing(withoutKey(), () => nowMs),
      shortestPulseMs: 100,
      witnessMs: 0,
      probeMs: 0,
      macs: () => new Set(),
      nextSequence: () => ++said,
      said: () => said,
      sendDatagram: () => {},
      random: () => 0.5,
      random64: () => ++drawn,
      nowMs: () => nowMs,
      report: (fact) => void facts.push(fact),
      detoursAround: () => [],
      answerInKernel: () => undefined,
    };
  });
  afterEach(() => hosts[Symbol.dispose]());

  const linkOf = (host: Host) => {
    const link = readLinks().find(({ name }) => name === host.link);
    assert(link?.mac !== undefined);
    return { ...link, mac: link.mac };
  };

  /** A session that holds the address, since it is alone. */
  function openHolding(
    address = vip,
    listen = (session: LinkSession) => pass(session, 400),
  ): LinkSession {
    using _ = hosts.enter(hosts.near);
    const session = new LinkSession(linkOf(hosts.near), identity);
    const candidates = [{ node: 'node-1', score: 0 }];
    session.adopt(new Map([[address, { candidates, links: [hosts.near.link] }]]), []);
    listen(session);
    assert.equal(session.counts().held, 1);
    return session;
  }

  function pass(session: LinkSession, ms: number): void {
    for (const endMs = nowMs + ms; nowMs < endMs; nowMs += 50) session.tick();
  }

  function open(host: Host, as: Identity): LinkSession {
    using _ = hosts.enter(host);
    return new LinkSession(linkOf(host), as);
  }

  /** One that the API lists, on another network. */
  const speaker = (node: string) => ({ node, addresses: [], state: 'Ready' as const });

  function announceFromFar(mac: Mac): void {
    const address = parseAddress(vip);
    assert(address);
    using _ = hosts.enter(hosts.far);
    const filter = arpFilter([address]);
    const socket = new PacketSocket({
      link: linkOf(hosts.far),
      etherType: etherTypes.arp,
      filter,
    });
    socket.send(arp.unsolicited(address, mac));
    socket.close();
  }

  /** This node's own voice, as from another of its links. */
  function sayFromSibling(mac: Mac): void {
    using _ = hosts.enter(hosts.far);
    const [boot = 0n] = identity.boots;
    using socket = new SpeakersSocket(linkOf(hosts.far), { ...identity, boot });
    const claims = { count: 0, sum: 0 };
    const standing = { phase: 'active', health: 'well', intervalMs: 100, claims } as const;
    socket.say('all', { kind: 'pulse', node: 'node-1', mac, standing });
  }

  test('stays silent for a sibling on the same segment for as long as that one is heard', () => {
    using session = openHolding();
    for (let pulse = 0; pulse < 20; pulse++) {
      sayFromSibling('00:00:00:00:00:01');
      session.readSpeakers();
      pass(session, 100);
    }
    assert.equal(session.counts().held, 0);
    assert.equal(facts.filter(({ kind }) => kind === 'sibling').length, 1);
    pass(session, 2_000);
    assert.equal(session.counts().held, 1);
  });

  test('tells once that what it holds is answered for with another MAC', () => {
    using session = openHolding();
    const mac = '02:00:00:00:01:01';
    ip('-n', hosts.near.namespace, 'link', 'set', hosts.near.link, 'address', mac);
    using _ = hosts.enter(hosts.near);
    for (let change = 0; change < 2; change++) session.follow(linkOf(hosts.near));
    const told = facts.filter(({ kind }) => kind === 'mac');
    assert.deepEqual(told, [{ kind: 'mac', link: hosts.near.link, mac }]);
  });

  test('tells once that a link without IPv6 joins no group, and joins when it has it', () => {
    using session = openHolding('2001:db8::1:40');
    const mtu = (bytes: number) => {
      ip('-n', hosts.near.namespace, 'link', 'set', hosts.near.link, 'mtu', String(bytes));
      using _ = hosts.enter(hosts.near);
      session.follow(linkOf(hosts.near));
      pass(session, 100);
    };
    const deaf = () => facts.filter(({ kind }) => kind === 'deaf');
    assert.deepEqual(deaf(), []);
    mtu(1000);
    mtu(1001);
    assert.deepEqual(deaf(), [{ kind: 'deaf', groups: 1, link: hosts.near.link }]);
    mtu(1500);
    const joined = ip('-n', hosts.near.namespace, 'maddress', 'show', 'dev', hosts.near.link);
    assert(joined.includes('ff02::1:ff01:40'));
  });

  /** Asks from the far host; how many answers have come when `serve` has been called. */
  function openAsker() {
    using _ = hosts.enter(hosts.far);
    const link = linkOf(hosts.far);
    const address = parseAddress(vip);
    const asker = parseAddress(hosts.far.address);
    assert(address && asker);
    const socket = new PacketSocket({
      link,
      etherType: etherTypes.arp,
      filter: arpFilter([address]),
    });
    const question = {
      operation: 'request',
      senderMac: link.mac,
      sender: asker,
      targetMac: '00:00:00:00:00:00',
      target: address,
    } as const;
    const destination = 'ff:ff:ff:ff:ff:ff';
    const header = { destination, source: link.mac, etherType: etherTypes.arp };
    const frame = formatFrame({ ...header, payload: formatArp(question) });
    const ask = (serve: () => void) => {
      socket.send([frame]);
      serve();
      return socket.receive().frames.length;
    };
    return { ask, [Symbol.dispose]: () => socket.close() };
  }

  test('takes no node of its cluster for a stranger, though it hears no more of it', () => {
    const boots = new Set<bigint>();
    using near = open(hosts.near, identity);
    using far = open(hosts.far, { ...identity, node: 'node-2', boots, report: () => {} });
    const together = () => {
      for (const [session, host] of [[near, hosts.near] as const, [far, hosts.far] as const]) {
        using _ = hosts.enter(host);
        session.tick();
        session.readSpeakers();
      }
    };
    for (const endMs = nowMs + 1_000; nowMs < endMs; nowMs += 50) together();
    assert.equal(near.counts().peers, 1);
    using _ = hosts.enter(hosts.near);
    const candidates = [{ node: 'node-1', score: 0 }];
    near.adopt(new Map([[vip, { candidates, links: [hosts.near.link] }]]), [speaker('node-2')]);
    pass(near, 1_000);
    assert.deepEqual([near.counts().peers, near.counts().held], [0, 1]);

    const toldOf = (mac: Mac) => {
      facts = [];
      announceFromFar(mac);
      near.readQuestions();
      return facts.flatMap((fact) => (fact.kind === 'foreign' ? [fact.mac] : []));
    };
    assert.deepEqual(toldOf(hosts.far.mac), []);
    assert.deepEqual(toldOf('02:00:00:00:00:66'), ['02:00:00:00:00:66']);
    near.amend({ whole: false, put: new Map(), removed: [] }, [speaker('node-3')]);
    pass(near, 11_000);
    assert.deepEqual(toldOf(hosts.far.mac), [hosts.far.mac], 'node-2 is none any more');
  });

  test('answers no question it read before it stood still', () => {
    using session = openHolding();
    using asker = openAsker();
    const serve = () => session.readQuestions();
    assert.equal(asker.ask(serve), 1);
    nowMs += 5_000;
    assert.equal(asker.ask(serve), 0);
  });

  test('tells that an address is held when it is announced, and not before', () => {
    using _ = hosts.enter(hosts.near);
    using session = new LinkSession(linkOf(hosts.near), identity);
    const candidates = [{ node: 'node-1', score: 0 }];
    const plan = Array.from({ length: 300 }, (__, index) => {
      const planned = { services: [], candidates, links: [hosts.near.link] };
      return [`2001:db8::1:${index}`, planned] as const;
    });
    session.adopt(new Map(plan), []);
    const told = () => facts.filter(({ kind }) => kind === 'held').length;
    while (told() === 0) pass(session, 50);
    assert.ok(told() < 300, `${told()} at once`);
    assert.equal(told(), session.counts().announcements);
    pass(session, 50);
    assert.equal(told(), 300);
  });

  describe('of which nobody has held the address', () => {
    /** The facts about it that a session has told, alone on its segment, within so long of its start. */
    function toldWithin(ms: number, also: Partial<Identity> = {}): string[] {
      identity = { ...identity, probeMs: 100, ...also };
      using _ = hosts.enter(hosts.near);
      using session = new LinkSession(linkOf(hosts.near), identity);
      const links = [hosts.near.link];
      const candidates = [{ node: 'node-1', score: 0 }];
      session.adopt(new Map([[vip, { services: [], candidates, links }]]), []);
      pass(session, ms);
      return facts.flatMap((fact) => {
        if (fact.kind === 'held') return [`held ${fact.takeoverMs < 100 ? 'at once' : 'late'}`];
        return fact.kind === 'foreign' ? [`${fact.state} ${fact.mac}`] : [];
      });
    }

    const configure = (what: 'add' | 'delete') =>
      ip('-n', hosts.far.namespace, 'address', what, `${vip}/32`, 'dev', hosts.far.link);

    test('tells that it holds it when it has been probed', () => {
      assert.deepEqual(toldWithin(600), []);
      facts = [];
      assert.deepEqual(toldWithin(800), ['held at once']);
    });

    test('tells who has it, and does not hold it', () => {
      configure('add');
      assert.deepEqual(toldWithin(5_000), [`Quarantined ${hosts.far.mac}`]);
    });

    test('tells that it has given up what another station has, so that this is written nowhere any more', () => {
      configure('add');
      identity = { ...identity, probeMs: 100 };
      using _ = hosts.enter(hosts.near);
      using session = new LinkSession(linkOf(hosts.near), identity);
      const candidates = [{ node: 'node-1', score: 0 }];
      session.adopt(new Map([[vip, { candidates, links: [hosts.near.link] }]]), []);
      pass(session, 1_000);
      const stations = new ForeignStations();
      const networks = { links: [{ name: hosts.near.link }] };
      const written = () => {
        for (const fact of facts.splice(0)) stations.note(fact, new Date(0));
        return stations.within(networks).links?.[0]?.foreign?.map(({ address }) => address);
      };
      assert.deepEqual(written(), [vip]);
      session.adopt(new Map(), []);
      assert.equal(written(), undefined);
    });

    test('does not take another of its own links for a stranger', () => {
      configure('add');
      const macs = () => new Set([hosts.far.mac]);
      assert.deepEqual(toldWithin(5_000, { macs }), ['held at once']);
    });
  });

  test('has the kernel answer as long as it runs, and hardly longer', needsBpf, async () => {
    const answerInKernel = kernelOpener('kernel', identity.report);
    const realMs = () => Number(process.hrtime.bigint()) / 1e6;
    identity = { ...identity, nowMs: realMs, answerInKernel };
    using session = openHolding(vip, (listening) => {
      while (listening.counts().held === 0) listening.tick();
    });
    assert.equal(session.responder, 'kernel');
    using asker = openAsker();
    const answered = () => asker.ask(() => {}) > 0;
    const runs = () => {
      session.tick();
      return answered();
    };
    await until('the kernel answers', runs);
    assert(session.dueAtMs() <= realMs() + 20, 'it wants to renew the lease');
    let lastMs = realMs();
    const ranMs = lastMs;
    for (let askedMs = ranMs; answered(); askedMs = realMs()) lastMs = askedMs;
    assert(lastMs - ranMs <= 40, `answered ${lastMs - ranMs} ms after it ran`);
    await until('the kernel answers again', runs);
    assert.equal(session.counts().kernelAnswers, session.counts().answers);
  });
});
