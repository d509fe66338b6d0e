import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import type { Address } from '../../net/address.ts';
import { solicitedNodeGroup } from '../wire/ndp.ts';
import { GroupSocket } from './group-socket.ts';
import { ip, needsTwoHosts, TwoHosts } from './testing/two-hosts.ts';
import { readLinks } from './link.ts';

const group = (last: number): Address =>
  solicitedNodeGroup({ family: 'IPv6', value: BigInt(last) });

describe('the groups of a link', needsTwoHosts, () => {
  let hosts: TwoHosts;
  beforeEach(() => {
    hosts = new TwoHosts();
  });
  afterEach(() => hosts[Symbol.dispose]());

  function open(): GroupSocket {
    using _ = hosts.enter(hosts.near);
    const link = readLinks().find(({ name }) => name === hosts.near.link);
    assert(link);
    return new GroupSocket(link);
  }

  const joined = (): string =>
    ip('-n', hosts.near.namespace, 'maddress', 'show', 'dev', hosts.near.link);
  const setMtu = (mtu: number): void => {
    ip('-n', hosts.near.namespace, 'link', 'set', hosts.near.link, 'mtu', String(mtu));
  };

  it('are joined as the kernel joins them, for the NIC too, until they are left', () => {
    using socket = open();
    assert(socket.join(group(0x40)));
    assert(socket.join(group(0x40)), 'twice is once');
    assert(joined().includes('ff02::1:ff00:40'));
    assert(joined().includes('33:33:ff:00:00:40'));
    socket.leave(group(0x40));
    socket.leave(group(0x40));
    assert(!joined().includes('ff02::1:ff00:40'));
    assert(!joined().includes('33:33:ff:00:00:40'));
  });

  it('are left when it is closed, which may happen twice', () => {
    const socket = open();
    socket.join(group(0x41));
    socket.close();
    socket.close();
    assert(!joined().includes('ff02::1:ff00:41'));
  });

  it('are as many as there are addresses, although a socket has room for fewer', () => {
    using _ = hosts.enter(hosts.near);
    using socket = open();
    const groups = Array.from({ length: 3_000 }, (_, index) => group(0x1_0000 + index));
    for (const one of groups) assert(socket.join(one));
    assert.equal(joined().match(/inet6 ff02::1:ff01:/g)?.length, 3_000);
    for (const one of groups) socket.leave(one);
    assert(!joined().includes('ff02::1:ff01:'));
  });

  it('are refused by a link that has no IPv6, and joined again when it has', () => {
    using socket = open();
    setMtu(1000);
    assert.equal(socket.join(group(0x42)), false);
    setMtu(1500);
    assert.equal(socket.join(group(0x42)), true);
    assert(joined().includes('ff02::1:ff00:42'));
  });

  it('are refused by a link that is gone, and left without a word', () => {
    using socket = open();
    assert(socket.join(group(0x43)));
    hosts.cut();
    assert.equal(socket.join(group(0x44)), false);
    socket.leave(group(0x43));
  });
});
