import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { formatDump, formatRouteQuestion, parseMessages } from './rtnetlink.ts';

const bytes = (...hex: readonly string[]): Uint8Array =>
  Uint8Array.from(Buffer.from(hex.join('').replaceAll(' ', ''), 'hex'));

/** Written by hand after the tables: a veth at index 7 that is up with carrier. */
const newLink = bytes(
  '48000000 1000 0200 01000000 00000000', // 72 bytes, RTM_NEWLINK, sequence 1
  '0000 0100 07000000 43000100 00000000', // ifinfomsg: UP, BROADCAST, RUNNING, LOWER_UP
  '0900 0300 6574683000 000000', // IFLA_IFNAME eth0
  '0800 0400 dc050000', // IFLA_MTU 1500
  '0a00 0100 02000000000b 0000', // IFLA_ADDRESS
  '0500 2100 01 000000', // IFLA_CARRIER
);
const newAddress = bytes(
  '28000000 1400 0200 02000000 00000000', // RTM_NEWADDR, sequence 2
  '02 18 80 00 07000000', // ifaddrmsg: AF_INET /24
  '0800 0100 c6336401', // IFA_ADDRESS
  '0800 0200 c633640b', // IFA_LOCAL
);
const newRoute = bytes(
  '3c000000 1800 0000 03000000 00000000', // RTM_NEWROUTE, sequence 3
  '02 20 00 00 fe 00 00 01 00020000', // rtmsg: AF_INET, /32, main table, unicast
  '0800 0100 f0000001', // RTA_DST 240.0.0.1
  '0800 0400 07000000', // RTA_OIF 7
  '0800 0500 c6336401', // RTA_GATEWAY
  '0800 0700 c633640b', // RTA_PREFSRC
);
const done = bytes('14000000 0300 0200 01000000 00000000 00000000');

describe('what the kernel tells about links', () => {
  it('reads a link', () => {
    assert.equal(new DataView(newLink.buffer).getUint32(0, true), newLink.length);
    assert.deepEqual(parseMessages(newLink, 1), [
      {
        kind: 'link',
        link: {
          index: 7,
          name: 'eth0',
          mac: '02:00:00:00:00:0b',
          up: true,
          running: true,
          loopback: false,
          resolves: true,
          enslaved: false,
          mtu: 1500,
        },
      },
    ]);
  });

  it('reads a link that is down as not running', () => {
    const [told] = parseMessages(newLink.with(24, 0x42), 1);
    assert(told?.kind === 'link');
    assert.deepEqual([told.link.up, told.link.running], [false, false]);
  });

  it('reads a link that has just lost its carrier as not running, whatever its flags still say', () => {
    const [told] = parseMessages(newLink.with(68, 0), 1);
    assert(told?.kind === 'link');
    assert.deepEqual([told.link.up, told.link.running], [true, false]);
  });

  it('reads an address of this end, with its network', () => {
    const value = 0xc633640bn;
    assert.deepEqual(parseMessages(newAddress, 2), [
      {
        kind: 'address',
        address: {
          index: 7,
          address: { family: 'IPv4', value },
          prefixLength: 24,
          network: { family: 'IPv4', first: 0xc6336400n, last: 0xc63364ffn },
          settled: true,
        },
      },
    ]);
  });

  it('does not take an address for settled while it is asked for, or once another machine has it', () => {
    const flagsAt = 18;
    for (const flags of [0x40, 0x08, 0xc8]) {
      const [told] = parseMessages(newAddress.with(flagsAt, flags), 2);
      assert(told?.kind === 'address');
      assert.equal(told.address.settled, false);
    }
  });

  it('reads the router on the way to an address', () => {
    const gateway = { index: 7, address: { family: 'IPv4' as const, value: 0xc6336401n } };
    assert.deepEqual(parseMessages(newRoute, 3), [{ kind: 'route', gateway, onLink: undefined }]);
  });

  it('reads a way without a router as such', () => {
    const direct = newRoute.slice();
    direct[46] = 99; // RTA_GATEWAY becomes something else.
    const value = 0xf0000001n;
    const network = { family: 'IPv4' as const, first: value, last: value };
    const onLink = { index: 7, prefixLength: 32, network };
    assert.deepEqual(parseMessages(direct, 3), [{ kind: 'route', gateway: undefined, onLink }]);
  });

  it('takes nothing for on the link that leads nowhere, over a router of the other family, or by default', () => {
    const direct = newRoute.with(46, 99);
    for (const other of [
      direct.with(23, 6),
      direct.with(46, 18),
      direct.with(17, 0),
      direct.with(17, 33),
    ]) {
      const [told] = parseMessages(other, 3);
      assert(told?.kind === 'route' && told.onLink === undefined);
    }
  });

  it('asks for the way to an address of either family', () => {
    assert.deepEqual(
      formatRouteQuestion({ family: 'IPv4', value: 0xf0000001n }, 3),
      bytes(
        '24000000 1a00 0100 03000000 00000000',
        '02 20 0000 00000000 00000000',
        '0800 0100 f0000001',
      ),
    );
    assert.deepEqual(
      formatRouteQuestion({ family: 'IPv6', value: 0x2000n << 112n }, 4),
      bytes(
        '30000000 1a00 0100 04000000 00000000',
        '0a 80 0000 00000000 00000000',
        '1400 0100 2000 0000000000000000000000000000',
      ),
    );
    const entry = formatRouteQuestion({ family: 'IPv4', value: 0xf0000001n }, 3, 'entry');
    assert.deepEqual(entry.subarray(16, 28), bytes('02 20 0000 00000000 00200000'));
  });

  it('reads many messages in one datagram, the end among them, and leaves out other sequences', () => {
    const both = Uint8Array.of(...newLink, ...newAddress, ...done);
    assert.deepEqual(
      parseMessages(both, 1).map(({ kind }) => kind),
      ['link', 'done'],
    );
  });

  it('reads a refusal', () => {
    const refusal = bytes('14000000 0200 0000 01000000 00000000 ffffffff');
    assert.deepEqual(parseMessages(refusal, 1), [{ kind: 'error', errno: 1 }]);
  });

  it('asks in the form of its table', () => {
    const expected = '20000000 1200 0103 09000000 00000000' + '00'.repeat(16);
    assert.deepEqual(formatDump('links', 9), bytes(expected));
  });

  it('never throws and always ends, whatever the bytes', () => {
    const nearly = fc
      .tuple(fc.constantFrom(newLink, newAddress, done), fc.nat({ max: 19 }), fc.nat({ max: 255 }))
      .map(([whole, at, byte]) => whole.with(at, byte));
    fc.assert(
      fc.property(fc.oneof(nearly, fc.uint8Array({ maxLength: 256 })), (any) => {
        parseMessages(any, 1);
        for (let length = 0; length < any.length; length++)
          parseMessages(any.subarray(0, length), 1);
      }),
    );
  });
});
