import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parseAddress } from '../net/address.ts';
import type { Action } from './core/action.ts';
import { readLinks } from './io/link.ts';
import { PacketSocket } from './io/packet-socket.ts';
import { type Host, ip, needsTwoHosts, TwoHosts } from './io/testing/two-hosts.ts';
import { Responder } from './responder.ts';
import { etherTypes } from './wire/ethernet.ts';
import { arp } from './wire/family.ts';

const vip = '198.51.100.40';
const stranger = '02:00:00:00:00:66';
const hold: Action = { kind: 'hold', address: vip, term: 1, reason: 'Unclaimed' };
const nobody: ReadonlySet<string> = new Set();
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

  const respond = (): Responder => {
    using _ = hosts.enter(hosts.near);
    return new Responder(linkOf(hosts.near), { random: () => 0.5, kernel: undefined });
  };

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
    const told = (nowMs: number, ours = nobody) => {
      claim(20);
      return responder.read(nowMs, ours, always).map(({ mac }) => mac);
    };
    assert.deepEqual(told(1_000, new Set([stranger])), [], 'a peer is no stranger');
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
    assert.equal(responder.follow([{ kind: 'speak' }], 350), 250);
    assert.ok(responder.dueAtMs() <= 350);
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
