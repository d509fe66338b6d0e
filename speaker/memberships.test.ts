import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { type Address, parseAddress } from '../net/address.ts';
import { readLinks } from './io/link.ts';
import { ip, needsTwoHosts, TwoHosts } from './io/testing/two-hosts.ts';
import { Memberships } from './memberships.ts';

const at = (text: string): Address => {
  const address = parseAddress(text);
  assert(address);
  return address;
};

describe('memberships of a link', needsTwoHosts, () => {
  let hosts: TwoHosts;
  let enter: Disposable;
  let memberships: Memberships;
  beforeEach(() => {
    hosts = new TwoHosts();
    enter = hosts.enter(hosts.near);
    const link = readLinks().find(({ name }) => name === hosts.near.link);
    assert(link);
    memberships = new Memberships(link);
  });
  afterEach(() => {
    memberships[Symbol.dispose]();
    enter[Symbol.dispose]();
    hosts[Symbol.dispose]();
  });

  /** The groups from ff02::1:ff01:0 on, which nobody but us joins. */
  const joined = (): readonly string[] =>
    ip('-n', hosts.near.namespace, 'maddress', 'show', 'dev', hosts.near.link).match(
      /ff02::1:ff0[1-9]:\S+/g,
    ) ?? [];
  const setMtu = (mtu: number): void => {
    ip('-n', hosts.near.namespace, 'link', 'set', hosts.near.link, 'mtu', String(mtu));
  };
  const follow = (...texts: readonly string[]): void => {
    memberships.follow(texts.map(at));
    while (!memberships.settled) memberships.settle();
  };

  it('follow what is held: one for all addresses that share it, none for IPv4', () => {
    follow('2001:db8::1:1', '2001:db8:1::1:1', '198.51.100.40');
    assert.deepEqual(joined(), ['ff02::1:ff01:1']);
    follow('2001:db8:1::1:1', '2001:db8::1:2');
    assert.deepEqual(joined().toSorted(), ['ff02::1:ff01:1', 'ff02::1:ff01:2']);
    follow('198.51.100.40');
    assert.deepEqual(joined(), []);
  });

  it('are joined a few in each turn', () => {
    const addresses = Array.from({ length: 100 }, (_, index) => at(`2001:db8::1:${index + 1}`));
    memberships.follow(addresses);
    assert.deepEqual(joined(), [], 'a takeover does not wait for them');
    memberships.settle();
    assert.equal(joined().length, 64);
    assert.equal(memberships.settled, false);
    memberships.settle();
    assert.equal(joined().length, 100);
    assert.equal(memberships.settled, true);
  });

  it('are had again after the link had forgotten them', () => {
    follow('2001:db8::1:1');
    setMtu(1000);
    setMtu(1500);
    assert.deepEqual(joined(), []);
    memberships.renew();
    memberships.settle();
    assert.deepEqual(joined(), ['ff02::1:ff01:1']);
    follow();
    assert.deepEqual(joined(), []);
  });

  it('that a link refuses are counted, and asked for again when it has changed', () => {
    setMtu(1000);
    follow('2001:db8::1:1', '2001:db8::1:2');
    assert.equal(memberships.refused, 2);
    assert.equal(memberships.settled, true, 'they are not asked for over and over');
    setMtu(1500);
    memberships.renew();
    memberships.settle();
    assert.equal(memberships.refused, 0);
    assert.equal(joined().length, 2);
  });

  it('never lapse while they are renewed', () => {
    follow('2001:db8::1:1');
    memberships.renew();
    assert.deepEqual(joined(), ['ff02::1:ff01:1']);
    memberships.settle();
    assert.deepEqual(joined(), ['ff02::1:ff01:1']);
  });
});
