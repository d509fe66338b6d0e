import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type Address, formatAddress, parseAddress } from '../net/address.ts';
import { rangeContains } from '../net/range.ts';
import { GatewayCheck } from './gateway-check.ts';
import { type Link, readLinks } from './io/link.ts';
import { Poll } from './io/poll.ts';
import { type Host, ip, needsTwoHosts, TwoHosts } from './io/testing/two-hosts.ts';
import { NeighbourSockets } from './neighbour-sockets.ts';
import { arp } from './wire/family.ts';

describe('the check of the routers of a link', needsTwoHosts, () => {
  let hosts: TwoHosts;
  let check: GatewayCheck;
  let poll: Poll;
  /** The routers of the near host, as its routes have them: all are the far host. */
  let routers: readonly Address[];
  let nowMs = 0;
  beforeEach(() => {
    hosts = new TwoHosts();
    const four = parseAddress(hosts.far.address) ?? assert.fail();
    const own = linkOf(hosts.far).addresses.map(({ address }) => address);
    const isOfLink = (one: Address) => formatAddress(one).startsWith('fe80::');
    routers = [four, own.find(isOfLink) ?? assert.fail('it has no link-local address')];
    using _ = hosts.enter(hosts.near);
    check = new GatewayCheck(linkOf(hosts.near), () => routers);
    poll = new Poll();
    for (const fd of check.fds) poll.add(fd);
  });
  afterEach(() => {
    poll.close();
    check[Symbol.dispose]();
    hosts[Symbol.dispose]();
  });

  function linkOf(host: Host): Link {
    using _ = hosts.enter(host);
    return readLinks().find(({ name }) => name === host.link) ?? assert.fail();
  }

  /** Lets so many seconds pass, and hears whatever comes in each half of them. */
  function pass(seconds: number, link = linkOf(hosts.near)): void {
    for (const endMs = nowMs + seconds * 1000; nowMs < endMs; nowMs += 500) {
      check.tick(link, nowMs);
      while (poll.wait(20).length > 0) check.read(link);
    }
  }

  const addressOf = (index: number): string => formatAddress(routers[index] ?? assert.fail());

  const silence = (index: number): void => {
    const bits = index === 0 ? 24 : 64;
    const { namespace, link } = hosts.far;
    ip('-n', namespace, 'address', 'delete', `${addressOf(index)}/${bits}`, 'dev', link);
  };

  for (const [index, family] of ['IPv4', 'IPv6'].entries()) {
    test(`finds out when its ${family} router is gone, and when it is back`, () => {
      pass(5);
      assert.equal(check.health, 'well');
      assert.equal(check.detail, undefined);
      silence(index);
      pass(2);
      assert.equal(check.health, 'unsure');
      pass(2);
      assert.equal(check.health, 'sick');
      assert.equal(check.detail, `no answer from ${addressOf(index)}`);
      const { namespace, link } = hosts.far;
      const bits = index === 0 ? 24 : 64;
      ip('-n', namespace, 'address', 'add', `${addressOf(index)}/${bits}`, 'dev', link, 'nodad');
      pass(2);
      assert.equal(check.health, 'mending');
      pass(30);
      assert.equal(check.health, 'well');
    });
  }

  test('of several routers of one protocol one will do', () => {
    const spare = parseAddress('198.51.100.254') ?? assert.fail();
    routers = [...routers, spare];
    pass(8);
    assert.equal(check.health, 'well');
    assert.equal(check.detail, 'no answer from 198.51.100.254');
    silence(0);
    pass(8);
    assert.equal(check.health, 'sick');
  });

  test('a link that has no router is well', () => {
    routers = [];
    pass(5);
    assert.equal(check.health, 'well');
  });

  test('what cannot be asked leaves everything as it was', () => {
    pass(5);
    silence(0);
    const link = linkOf(hosts.near);
    pass(5, { ...link, running: false });
    assert.equal(check.health, 'well');
    const [elsewhere] = link.networks.filter((network) =>
      routers.every((one) => !rangeContains(network, one)),
    );
    const stranded = link.addresses.filter(({ network }) => network === elsewhere);
    pass(5, { ...link, addresses: stranded });
    assert.equal(check.health, 'well');
    pass(5, link);
    assert.equal(check.health, 'sick');
    routers = [];
    pass(60);
    assert.equal(check.health, 'sick');
  });

  test('a router that speaks to all and answers nobody is not there', () => {
    pass(2);
    silence(0);
    using _ = hosts.enter(hosts.far);
    using voice = new NeighbourSockets(linkOf(hosts.far));
    const [four = assert.fail()] = routers;
    for (let second = 0; second < 4; second++) {
      voice.send(arp.unsolicited(four, hosts.far.mac));
      pass(1);
    }
    assert.equal(check.health, 'sick');
  });
});
