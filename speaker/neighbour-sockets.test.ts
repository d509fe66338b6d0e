import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { type Address, formatAddress, parseAddress } from '../net/address.ts';
import { type Host, ip, needsTwoHosts, TwoHosts } from './io/testing/two-hosts.ts';
import { readLinks } from './io/link.ts';
import { NeighbourSockets } from './neighbour-sockets.ts';
import { neighboursOf, readNeighbours } from './wire/family.ts';

const at = (text: string): Address => {
  const address = parseAddress(text);
  assert(address);
  return address;
};
const four = at('198.51.100.40');
const six = at('2001:db8::40');

describe('the sockets of the neighbours of a link', needsTwoHosts, () => {
  let hosts: TwoHosts;
  let near: NeighbourSockets;
  let far: NeighbourSockets;
  beforeEach(() => {
    hosts = new TwoHosts();
    near = openOn(hosts.near);
    far = openOn(hosts.far);
  });
  afterEach(() => {
    near[Symbol.dispose]();
    far[Symbol.dispose]();
    hosts[Symbol.dispose]();
  });

  function openOn(host: Host): NeighbourSockets {
    using _ = hosts.enter(host);
    const link = readLinks().find(({ name }) => name === host.link);
    assert(link);
    return new NeighbourSockets(link);
  }

  const claims = (...addresses: readonly Address[]) =>
    addresses.flatMap((address) =>
      neighboursOf(address.family).unsolicited(address, hosts.near.mac).slice(0, 1),
    );
  const heard = (): readonly string[] =>
    far.receive().flatMap((frame) => {
      const one = readNeighbours(frame);
      return one?.kind === 'assertion' ? [formatAddress(one.address)] : [];
    });

  it('carry frames of both families, however they are mixed', () => {
    far.listenFor([four, six]);
    assert.deepEqual(near.send(claims(four, six, six, four, six)), { sent: 5 });
    const times = (text: string) => (one: string) => one === text;
    const all = heard();
    assert.equal(all.filter(times('198.51.100.40')).length, 2);
    assert.equal(all.filter(times('2001:db8::40')).length, 3);
  });

  it('hear what concerns these addresses and no others', () => {
    far.listenFor([six]);
    near.send(claims(four, six, at('2001:db8::41')));
    assert.deepEqual(heard(), ['2001:db8::40']);
    far.listenFor([four]);
    near.send(claims(four, six));
    assert.deepEqual(heard(), ['198.51.100.40']);
  });

  it('hear nothing once deaf, not even what had come in', () => {
    far.listenFor([four, six]);
    near.send(claims(four, six));
    far.deafen();
    assert.deepEqual(heard(), []);
    near.send(claims(four, six));
    assert.deepEqual(heard(), []);
  });

  it('count from the front what a link took that went down', () => {
    ip('-n', hosts.near.namespace, 'link', 'set', hosts.near.link, 'down');
    assert.deepEqual(near.send(claims(four, six)), { sent: 0 });
    assert.deepEqual(near.send([]), { sent: 0 });
  });

  it('send nothing after a frame that the link did not take', () => {
    far.listenFor([four, six]);
    ip('-n', hosts.near.namespace, 'link', 'set', hosts.near.link, 'mtu', '1280');
    const [short = new Uint8Array()] = claims(four);
    const long = new Uint8Array(1400);
    long.set(short);
    assert.deepEqual(near.send([short, long, ...claims(six)]), { sent: 1 });
    assert.deepEqual(heard(), ['198.51.100.40']);
  });
});
