import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parseAddress } from '../net/address.ts';
import { broadcastMac, type Mac } from '../net/mac.ts';
import type { Action } from './core/action.ts';
import { readLinks } from './io/link.ts';
import { KernelResponder } from './io/kernel-responder.ts';
import { PacketSocket } from './io/packet-socket.ts';
import { needsBpf } from './io/testing/run-program.ts';
import { type Host, ip, needsTwoHosts, TwoHosts } from './io/testing/two-hosts.ts';
import type { Outcome } from './guard.ts';
import { Responder } from './responder.ts';
import { formatArp } from './wire/arp.ts';
import { etherTypes, formatFrame } from './wire/ethernet.ts';
import { arp } from './wire/family.ts';
import { arpFilter } from './wire/filter.ts';

const vip = '198.51.100.40';
const stranger = '02:00:00:00:00:66';
const hold: Action = { kind: 'hold', address: vip, term: 1, reason: 'Unclaimed' };
const nobody = () => false;
const always = () => true;

describe('a responder on a real link', needsTwoHosts, () => {
  let hosts: TwoHosts;
  before(() => {
    hosts = new TwoHosts();
  });
  after(() => hosts?.[Symbol.dispose]());

  const linkOf = (host: Host) => {
    const link = readLinks().find(({ name }) => name === host.link);
    assert(link?.mac !== undefined);
    return { ...link, mac: link.mac };
  };

  const respond = (kernel?: KernelResponder, probeMs = 0): Responder => {
    using _ = hosts.enter(hosts.near);
    return new Responder(linkOf(hosts.near), { random: () => 0.5, probeMs, kernel });
  };

  function openKernel(): KernelResponder {
    using _ = hosts.enter(hosts.near);
    const opened = KernelResponder.open(linkOf(hosts.near));
    assert(opened.kind === 'open');
    return opened;
  }

  /** On the far host: asks for the address byte by byte, and counts what has been answered since the last time. */
  function openAsker() {
    using _ = hosts.enter(hosts.far);
    const { mac, ...link } = linkOf(hosts.far);
    const [target, sender] = [parseAddress(vip), parseAddress(hosts.far.address)];
    assert(target && sender);
    const filter = arpFilter([target]);
    const socket = new PacketSocket({ link, etherType: etherTypes.arp, filter });
    const asked = { operation: 'request', senderMac: mac, sender, target } as const;
    const payload = formatArp({ ...asked, targetMac: '00:00:00:00:00:00' });
    const header = { destination: broadcastMac, source: mac, etherType: etherTypes.arp };
    const frame = formatFrame({ ...header, payload });
    return {
      ask: () => void socket.send([frame]),
      answers: () => socket.receive().frames.length,
      [Symbol.dispose]: () => socket.close(),
    };
  }

  /** The far host claims the address so many times, as a station with another MAC. */
  function claim(times: number): void {
    const address = parseAddress(vip);
    assert(address);
    using _ = hosts.enter(hosts.far);
    using socket = new PacketSocket({ link: linkOf(hosts.far), etherType: etherTypes.arp });
    for (let sent = 0; sent < times; sent++) socket.send(arp.unsolicited(address, stranger));
  }

  it('tells a station that goes on claiming a held address once in a while', () => {
    using responder = respond();
    responder.follow([hold], 0);
    const told = (nowMs: number, ours: (mac: Mac) => boolean = nobody) => {
      claim(20);
      return responder.read(nowMs, ours, always).map((fact) => fact.kind === 'foreign' && fact.mac);
    };
    assert.deepEqual(
      told(1_000, (mac) => mac === stranger),
      [],
      'a peer is no stranger',
    );
    assert.deepEqual(told(1_000), [stranger]);
    assert.deepEqual(told(10_999), []);
    assert.deepEqual(told(11_000), [stranger]);
  });

  it('answers and announces nothing while it is hushed, nor what came in meanwhile', () => {
    using responder = respond();
    responder.follow([hold], 0);
    const answered = () => {
      ip('-n', hosts.far.namespace, 'neighbour', 'flush', 'dev', hosts.far.link);
      hosts.ask(hosts.far, vip);
      responder.read(0, nobody, always);
      return responder.counts().answers;
    };
    assert.equal(answered(), 1);
    responder.follow([{ kind: 'hush' }], 100);
    assert.equal(responder.dueAtMs(), Infinity);
    assert.equal(answered(), 1);
    assert.equal(responder.follow([{ kind: 'speak' }], 350).hushedMs, 250);
    assert.ok(responder.dueAtMs() <= 350);
  });

  it(
    'answers each question once, by whichever of the two, while the kernel comes and goes',
    needsBpf,
    () => {
      using responder = respond(openKernel());
      using asker = openAsker();
      const clockMs = () => Number(process.hrtime.bigint()) / 1e6;
      responder.follow([hold], 0);
      asker.answers();
      const expectOne = (what: string) => {
        asker.ask();
        responder.read(0, nobody, always);
        assert.equal(asker.answers(), 1, what);
      };
      expectOne('before there is a lease');
      for (let round = 0; round < 50; round++) {
        responder.lend(clockMs(), 60_000);
        expectOne('on a lease');
        responder.lend(clockMs() - 2, 1);
        expectOne('when the lease has run out');
        responder.follow([hold], 0);
        expectOne('held again');
      }
      const { answers, questions, kernelAnswers } = responder.counts();
      assert.deepEqual(
        { answers, questions, kernelAnswers },
        { answers: 151, questions: 151, kernelAnswers: 50 },
      );
    },
  );

  it(
    'has the kernel answer nothing while it is hushed, nor for what it has given up',
    needsBpf,
    () => {
      using responder = respond(openKernel());
      using asker = openAsker();
      const clockMs = () => Number(process.hrtime.bigint()) / 1e6;
      responder.follow([hold], 0);
      responder.lend(clockMs(), 60_000);
      asker.answers();
      const answered = () => {
        asker.ask();
        return asker.answers();
      };
      assert.equal(answered(), 1);
      responder.follow([{ kind: 'hush' }], 100);
      responder.lend(clockMs(), 60_000);
      assert.equal(answered(), 0);
      assert.equal(responder.dueAtMs(), Infinity);
      responder.follow([{ kind: 'speak' }], 350);
      responder.lend(clockMs(), 60_000);
      asker.answers();
      assert.equal(answered(), 1);
      responder.follow([{ kind: 'yield', address: vip, reason: 'BetterClaim' }], 400);
      assert.equal(answered(), 0);
      responder.read(0, nobody, always);
      assert.equal(asker.answers(), 0);
      responder.lend(clockMs(), 60_000);
      assert.equal(responder.dueAtMs(), Infinity, 'a lease on nothing is not renewed');
    },
  );

  it('wants to renew a lease when half of it is over', needsBpf, () => {
    using responder = respond(openKernel());
    responder.follow([hold], 0);
    responder.lend(1_000, 40);
    responder.tick(1_000);
    assert.equal(responder.dueAtMs(), 1_020);
  });

  it('is in the groups of what it holds, and in none when it has given everything up', () => {
    using responder = respond();
    const joined = () =>
      ip('-n', hosts.near.namespace, 'maddress', 'show', 'dev', hosts.near.link).match(
        /ff02::1:ff01:/g,
      )?.length ?? 0;
    /** Lets it do what it says is due at that time. */
    const work = (nowMs: number) => {
      for (let turn = 0; turn < 5 && responder.dueAtMs() <= nowMs; turn++) responder.tick(nowMs);
    };
    const addresses = Array.from({ length: 100 }, (_, index) => `2001:db8::1:${index + 1}`);
    responder.follow(
      addresses.map((address) => ({ ...hold, address })),
      0,
    );
    work(0);
    assert.equal(joined(), 100);
    assert.equal(responder.counts().announcements, 100);
    const given = addresses.map((address): Action => ({
      kind: 'yield',
      address,
      reason: 'BetterClaim',
    }));
    responder.follow(given, 10);
    work(10);
    assert.equal(joined(), 0);
    assert.equal(responder.dueAtMs(), Infinity);
  });

  describe('before the first use', () => {
    const probeMs = 100;
    const addresses = [vip, '2001:db8::40'] as const;
    const holdAll = addresses.map((address): Action => ({ ...hold, address }));

    /** Lets it do what is due, one millisecond after the other, on a clock of its own. */
    const work = (responder: Responder, fromMs: number, toMs: number) => {
      const outcomes: Outcome[] = [];
      for (let nowMs = fromMs; nowMs < toMs; nowMs++) {
        if (responder.dueAtMs() > nowMs) continue;
        if (responder.probesAt(nowMs)) outcomes.push(...responder.read(nowMs, nobody, always));
        outcomes.push(...responder.tick(nowMs));
      }
      return outcomes.map((one) => `${one.kind} ${one.kind === 'unasked' ? '' : one.address}`);
    };

    const configure = (what: 'add' | 'delete') => {
      const { namespace, link } = hosts.far;
      ip('-n', namespace, 'address', what, `${vip}/32`, 'dev', link);
      const dad = what === 'add' ? ['nodad'] : [];
      ip('-n', namespace, 'address', what, '2001:db8::40/128', 'dev', link, ...dad);
    };

    it('announces what nobody else has, and answers nothing before', () => {
      using responder = respond(undefined, probeMs);
      using asker = openAsker();
      assert.deepEqual(responder.follow(holdAll, 0).done, []);
      asker.answers();
      asker.ask();
      assert.deepEqual(work(responder, 0, 300), []);
      assert.equal(responder.counts().announcements, 0);
      asker.ask();
      const held = addresses.map((address) => `hold ${address}`);
      assert.deepEqual(work(responder, 300, 301), held);
      const { questions, announcements } = responder.counts();
      assert.deepEqual([questions, announcements, responder.size], [0, 2, 2]);
      asker.answers();
      asker.ask();
      responder.read(301, nobody, always);
      assert.equal(asker.answers(), 1);
    });

    it('never answers for what the kernel of another machine has, and finds out when that is gone', () => {
      configure('add');
      using responder = respond(undefined, probeMs);
      using asker = openAsker();
      responder.follow(holdAll, 0);
      // The kernel answers at once, as soon as it has been asked for the first time.
      const found = addresses.map((address) => `foreign ${address}`);
      assert.deepEqual(work(responder, 0, 15_000).toSorted(), found.toSorted());
      assert.deepEqual(responder.counts().quarantined, 2);
      asker.answers();
      asker.ask();
      responder.read(15_000, nobody, always);
      assert.equal(asker.answers(), 0);
      configure('delete');
      const free = addresses.flatMap((address) => [`cleared ${address}`, `hold ${address}`]);
      assert.deepEqual(work(responder, 15_000, 50_000).toSorted(), free.toSorted());
      asker.answers();
      asker.ask();
      responder.read(50_000, nobody, always);
      assert.equal(asker.answers(), 1);
    });

    it('has its own machine and its peers answer without taking that for another station', () => {
      configure('add');
      using responder = respond(undefined, probeMs);
      responder.follow([hold], 0);
      const ours = (mac: Mac) => mac === hosts.far.mac;
      for (let nowMs = 0; nowMs < 300; nowMs += 50) {
        assert.deepEqual(responder.read(nowMs, ours, always), []);
        responder.tick(nowMs);
      }
      assert.deepEqual(responder.read(300, ours, always), []);
      assert.deepEqual(responder.tick(300), [hold]);
      configure('delete');
    });

    it(
      'has the kernel answer when it is known that nobody else does, and not earlier',
      needsBpf,
      () => {
        using responder = respond(openKernel(), probeMs);
        using asker = openAsker();
        const clockMs = () => Number(process.hrtime.bigint()) / 1e6;
        responder.follow([hold], 0);
        asker.answers();
        const answered = () => {
          responder.lend(clockMs(), 60_000);
          asker.ask();
          return asker.answers();
        };
        assert.equal(answered(), 0);
        work(responder, 0, 301);
        asker.answers();
        assert.equal(answered(), 1);
      },
    );

    it('is in the group of what it probes, and probes nothing while it is hushed', () => {
      using responder = respond(undefined, probeMs);
      const joined = () =>
        ip('-n', hosts.near.namespace, 'maddress', 'show', 'dev', hosts.near.link).includes(
          'ff02::1:ff00:40',
        );
      responder.follow(holdAll, 0);
      work(responder, 0, 1);
      assert(joined());
      responder.follow([{ kind: 'hush' }], 10);
      assert.equal(responder.dueAtMs(), Infinity);
      responder.follow([{ kind: 'speak' }], 250);
      assert.deepEqual(work(responder, 250, 550), []);
      assert.equal(work(responder, 550, 551).length, 2);
      responder.follow(
        addresses.map((address) => ({ kind: 'yield', address, reason: 'BetterClaim' })),
        600,
      );
      work(responder, 600, 601);
      assert(!joined());
    });
  });

  it('answers no more for what it has given up', () => {
    using responder = respond();
    responder.follow([hold], 0);
    responder.follow([{ kind: 'yield', address: vip, reason: 'BetterClaim' }], 0);
    claim(1);
    assert.deepEqual(responder.read(0, nobody, always), []);
    assert.equal(responder.size, 0);
    assert.equal(responder.dueAtMs(), Infinity);
  });
});
