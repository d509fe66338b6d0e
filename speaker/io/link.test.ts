import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { formatAddress } from '../../net/address.ts';
import { formatRange } from '../../net/range.ts';
import { type Link, readGateways, readLinks } from './link.ts';
import { LinkEvents } from './link-events.ts';
import { Poll } from './poll.ts';
import { type Host, ip, needsLinux, needsTwoHosts, TwoHosts } from './testing/two-hosts.ts';

it('every machine has a loopback', needsLinux, () => {
  assert(readLinks().some(({ loopback, up }) => loopback && up));
});

describe('links', needsTwoHosts, () => {
  let hosts: TwoHosts;
  before(() => {
    hosts = new TwoHosts();
  });
  after(() => hosts?.[Symbol.dispose]());

  function linkOf(host: Host): Link | undefined {
    using _ = hosts.enter(host);
    return readLinks().find(({ name }) => name === host.link);
  }

  const set = ({ namespace, link }: Host, ...words: string[]): string =>
    ip('-n', namespace, 'link', 'set', link, ...words);

  it('are read as they are: MAC, MTU, networks of both families', () => {
    const { namespace, link, mac } = hosts.near;
    ip('-n', namespace, 'address', 'add', '203.0.113.129/25', 'dev', link);
    ip('-n', namespace, 'address', 'add', '2001:db8::1/64', 'dev', link, 'nodad');
    const found = linkOf(hosts.near);
    assert(found);
    assert.deepEqual([found.mac, found.mtu, found.up, found.running], [mac, 1500, true, true]);
    const networks = found.networks.map(formatRange);
    for (const network of [
      '198.51.100.0-198.51.100.255',
      '203.0.113.128-203.0.113.255',
      '2001:db8::-2001:db8::ffff:ffff:ffff:ffff',
    ]) {
      assert(networks.includes(network), network);
    }
  });

  it('count an address that stands alone to the network that its neighbours are in', () => {
    const { namespace, link } = hosts.near;
    const networks = () => linkOf(hosts.near)?.networks.map(formatRange) ?? [];
    const route = (...words: readonly string[]) =>
      ip('-n', namespace, 'route', ...words, 'dev', link);
    for (const [alone, prefix, around] of [
      ['2001:db8:5::7', '2001:db8:5::/64', '2001:db8:5::-2001:db8:5:0:ffff:ffff:ffff:ffff'],
      ['203.0.113.9', '203.0.113.0/28', '203.0.113.0-203.0.113.15'],
    ] as const) {
      ip('-n', namespace, 'address', 'add', alone, 'dev', link, 'nodad');
      assert(networks().includes(alone), 'nobody has said what is on the link');
      route('add', prefix);
      assert(networks().includes(around), networks().join());
      route('delete', prefix);
      const router = alone.includes(':') ? '2001:db8::fe' : '198.51.100.254';
      route('add', prefix, 'via', router);
      assert(networks().includes(alone), 'its neighbours are behind a router');
      route('delete', prefix, 'via', router);
      ip('-n', namespace, 'address', 'delete', alone, 'dev', link);
    }
  });

  it('have the default gateways of both families, and none where there is no way out', () => {
    const { namespace, link } = hosts.far;
    const gateways = () => {
      using _ = hosts.enter(hosts.far);
      return readGateways().map(({ address }) => formatAddress(address));
    };
    assert.deepEqual(gateways(), []);
    ip('-n', namespace, 'address', 'add', '203.0.113.130/25', 'dev', link);
    ip('-n', namespace, 'address', 'add', '2001:db8::2/64', 'dev', link, 'nodad');
    ip('-n', namespace, 'route', 'add', 'default', 'via', '203.0.113.254');
    assert.deepEqual(gateways(), ['203.0.113.254']);
    ip('-n', namespace, '-6', 'route', 'add', 'default', 'via', '2001:db8::fe');
    assert.deepEqual(gateways(), ['203.0.113.254', '2001:db8::fe']);
    ip('-n', namespace, 'route', 'del', 'default');
    ip('-n', namespace, '-6', 'route', 'del', 'default');
  });

  it('say whether neighbours are found by asking on them, and whether they are a port of another', () => {
    const traits = () => {
      const found = linkOf(hosts.near);
      return [found?.resolves, found?.enslaved];
    };
    assert.deepEqual(traits(), [true, false]);
    set(hosts.near, 'arp', 'off');
    assert.deepEqual(traits(), [false, false]);
    set(hosts.near, 'arp', 'on');
    ip('-n', hosts.near.namespace, 'link', 'add', 'br0', 'type', 'bridge');
    set(hosts.near, 'master', 'br0');
    assert.deepEqual(traits(), [true, true]);
    set(hosts.near, 'nomaster');
    assert.deepEqual(traits(), [true, false]);
    ip('-n', hosts.near.namespace, 'link', 'delete', 'br0');
  });

  it('show lost carrier while they stay up, and keep their networks', () => {
    set(hosts.far, 'down');
    const found = linkOf(hosts.near);
    assert.deepEqual([found?.up, found?.running], [true, false]);
    assert(found?.networks.map(formatRange).includes('198.51.100.0-198.51.100.255'));
    using _ = hosts.enter(hosts.near);
    using events = new LinkEvents();
    using poll = new Poll();
    poll.add(events.fd);
    set(hosts.far, 'up');
    while (linkOf(hosts.near)?.running !== true) {
      waitFor(poll, 'the carrier');
      events.drain();
    }
  });

  it('tell of every kind of change, and only then', () => {
    const { near, far } = hosts;
    using _ = hosts.enter(near);
    using events = new LinkEvents();
    using poll = new Poll();
    poll.add(events.fd);
    assert.deepEqual(poll.wait(0), []);
    const changes: Readonly<Record<string, () => unknown>> = {
      MAC: () => set(near, 'address', '02:00:00:00:00:77'),
      MTU: () => set(near, 'mtu', '1400'),
      address: () => ip('-n', near.namespace, 'address', 'add', '203.0.113.7/24', 'dev', near.link),
      carrier: () => set(far, 'down'),
      down: () => set(near, 'down'),
      gone: () => hosts.cut(),
      back: () => hosts.connect(),
    };
    for (const [name, change] of Object.entries(changes)) {
      change();
      // The kernel tells of a second carrier change within a second only when that is over.
      waitFor(poll, name);
      while (poll.wait(20).length > 0) assert(events.drain());
    }
    assert.equal(events.drain(), false);
  });
});

/** A wait may end early: the children of this process send it signals. */
function waitFor(poll: Poll, what: string): void {
  const endMs = performance.now() + 3_000;
  while (poll.wait(endMs - performance.now()).length === 0) {
    assert(performance.now() < endMs, `told of ${what}`);
  }
}
