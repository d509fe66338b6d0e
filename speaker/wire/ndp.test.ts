import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { type Address, addressFromBytes, parseAddress } from '../../net/address.ts';
import {
  type Advertisement,
  allNodes,
  formatNdp,
  groupMac,
  type Ndp,
  parseNdp,
  solicitedNodeGroup,
  type Solicitation,
} from './ndp.ts';
import { anyIPv6, anyMac } from './testing/arbitraries.ts';
import { capturedNdp } from './testing/captured-ndp.ts';

const at = (text: string): Address => {
  const address = parseAddress(text);
  assert(address);
  return address;
};
const packetOf = (frame: Uint8Array): Uint8Array => frame.slice(14);

/** The packet with its checksum set right, so that what is refused is refused for another reason. */
function resealed(packet: Uint8Array): Uint8Array {
  const sealed = packet.slice().fill(0, 42, 44);
  const covered = [...sealed.subarray(8), ...(sealed.length % 2 === 0 ? [] : [0])];
  let sum = sealed.length - 40 + 58;
  for (let index = 0; index < covered.length; index += 2) {
    sum += (covered[index] ?? 0) * 256 + (covered[index + 1] ?? 0);
  }
  const checksum = 0xffff - (sum % 0xffff);
  sealed.set([checksum >> 8, checksum & 255], 42);
  return sealed;
}

/** The packet with other bytes at an offset, and a checksum that fits. */
function withBytes(packet: Uint8Array, offset: number, bytes: readonly number[]): Uint8Array {
  const changed = packet.slice();
  changed.set(bytes, offset);
  return resealed(changed);
}

/** The packet with these bytes behind it, counted in its length. */
function followedBy(packet: Uint8Array, more: readonly number[]): Uint8Array {
  const longer = Uint8Array.of(...packet, ...more);
  new DataView(longer.buffer).setUint16(4, longer.length - 40);
  return resealed(longer);
}

const anyUnicast = anyIPv6.filter(({ value }) => value !== 0n && value >> 120n !== 0xffn);
const anyGroup = anyIPv6.map(({ value }): Address => ({
  family: 'IPv6',
  value: value | (0xffn << 120n),
}));
const anyMacOrNone = fc.option(anyMac, { nil: undefined });
const plain = { noNullPrototype: true } as const;

const anyQuestion: fc.Arbitrary<Solicitation> = fc.record(
  {
    kind: fc.constant('solicitation'),
    source: anyUnicast,
    destination: fc.oneof(anyUnicast, anyGroup),
    target: anyUnicast,
    mac: anyMacOrNone,
  },
  plain,
);
const anyProbe: fc.Arbitrary<Solicitation> = anyUnicast.map((target) => ({
  kind: 'solicitation',
  source: at('::'),
  destination: solicitedNodeGroup(target),
  target,
  mac: undefined,
}));
const anyAdvertisement: fc.Arbitrary<Advertisement> = fc
  .record(
    {
      kind: fc.constant('advertisement' as const),
      source: anyUnicast,
      destination: fc.oneof(anyUnicast, anyGroup),
      target: anyUnicast,
      mac: anyMacOrNone,
      router: fc.boolean(),
      solicited: fc.boolean(),
      override: fc.boolean(),
    },
    plain,
  )
  .filter(({ solicited, destination }) => !solicited || destination.value >> 120n !== 0xffn);
const anyNdp: fc.Arbitrary<Ndp> = fc.oneof(anyQuestion, anyProbe, anyAdvertisement);

describe('NDP on the wire', () => {
  it('reads the question that Linux asks the group', () => {
    assert.deepEqual(parseNdp(packetOf(capturedNdp.question)), {
      kind: 'solicitation',
      source: at('2001:db8::a'),
      destination: at('ff02::1:ff00:b'),
      target: at('2001:db8::b'),
      mac: '02:00:00:00:00:0a',
    });
  });

  it('reads a probe, whose nonce is none of its business', () => {
    assert.deepEqual(parseNdp(packetOf(capturedNdp.probe)), {
      kind: 'solicitation',
      source: at('::'),
      destination: at('ff02::1:ff00:b'),
      target: at('2001:db8::b'),
      mac: undefined,
    });
  });

  it('reads the answers of Linux, also the one without a MAC', () => {
    const answer = parseNdp(packetOf(capturedNdp.answer));
    assert(answer?.kind === 'advertisement');
    const { router, solicited, override, mac } = answer;
    const flags = { router, solicited, override };
    assert.deepEqual(flags, { router: false, solicited: true, override: true });
    assert.equal(mac, '02:00:00:00:00:0b');
    const short = parseNdp(packetOf(capturedNdp.unicastAnswer));
    assert(short?.kind === 'advertisement' && short.mac === undefined && !short.override);
  });

  it('writes what it read of Linux back byte for byte', () => {
    const { probe: _nonce, ...frames } = capturedNdp;
    for (const [name, frame] of Object.entries(frames)) {
      const message = parseNdp(packetOf(frame));
      assert(message, name);
      assert.deepEqual(formatNdp(message), packetOf(frame), name);
    }
  });

  it('reads back as written', () => {
    fc.assert(fc.property(anyNdp, (ndp) => assert.deepEqual(parseNdp(formatNdp(ndp)), ndp)));
  });

  it('refuses a packet in which any one bit is turned, but for those that nothing covers', () => {
    // Traffic class, flow label: a router may change them. Hop limit and next header are looked at themselves.
    const free = new Set([1, 2, 3]);
    for (const frame of Object.values(capturedNdp)) {
      const packet = packetOf(frame);
      for (const [index, byte] of packet.entries()) {
        if (free.has(index)) continue;
        const least = index === 0 ? 4 : 0;
        for (let bit = least; bit < 8; bit++) {
          const turned = packet.with(index, byte ^ (1 << bit));
          assert.equal(parseNdp(turned), undefined, `byte ${index}, bit ${bit}`);
        }
      }
    }
  });

  it('is refused, or means the same when written again, whatever the bytes', () => {
    const nearly = fc
      .tuple(anyNdp.map(formatNdp), fc.nat({ max: 71 }), fc.nat({ max: 255 }))
      .filter(([bytes, index]) => index < bytes.length)
      .map(([bytes, index, byte]) => resealed(bytes.with(index, byte)));
    fc.assert(
      fc.property(fc.oneof(nearly, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        const ndp = parseNdp(bytes);
        if (ndp !== undefined) assert.deepEqual(parseNdp(formatNdp(ndp)), ndp);
      }),
      { numRuns: 1000 },
    );
  });

  it('ignores what follows the packet and refuses what is cut short', () => {
    const whole = packetOf(capturedNdp.question);
    for (let length = 0; length < whole.length; length++) {
      assert.equal(parseNdp(whole.subarray(0, length)), undefined, `${length} bytes`);
    }
    assert.deepEqual(parseNdp(Uint8Array.of(...whole, 1, 2, 3)), parseNdp(whole));
  });
});

describe('of NDP, a host discards (RFC 4861 §7.1)', () => {
  const question = packetOf(capturedNdp.question);
  const answer = packetOf(capturedNdp.answer);
  const probe = packetOf(capturedNdp.probe);
  const group = [0xff, 0x02];

  it('what is right otherwise is read: these tests change one thing each', () => {
    for (const packet of [question, answer, probe]) {
      assert.deepEqual(resealed(packet), packet);
      assert(parseNdp(followedBy(packet, [14, 1, 0, 0, 0, 0, 0, 0])));
    }
  });

  it('what a router has passed on', () => {
    assert.equal(parseNdp(withBytes(question, 7, [254])), undefined);
  });

  it('other types and codes', () => {
    assert.equal(parseNdp(withBytes(question, 40, [134])), undefined);
    assert.equal(parseNdp(withBytes(question, 40, [137])), undefined);
    assert.equal(parseNdp(withBytes(question, 41, [1])), undefined);
  });

  it('a target or a source that is a group', () => {
    assert.equal(parseNdp(withBytes(question, 48, group)), undefined);
    assert.equal(parseNdp(withBytes(answer, 48, group)), undefined);
    assert.equal(parseNdp(withBytes(question, 8, group)), undefined);
  });

  it('options without a length, longer than the packet, or with a MAC of another length', () => {
    assert.equal(parseNdp(withBytes(question, 65, [0])), undefined);
    assert.equal(parseNdp(withBytes(question, 65, [2])), undefined);
    assert.equal(parseNdp(followedBy(question, [14])), undefined);
    assert.equal(parseNdp(followedBy(question, [14, 2, 0, 0, 0, 0, 0, 0])), undefined);
    const longMac = followedBy(withBytes(question, 65, [2]), [0, 0, 0, 0, 0, 0, 0, 0]);
    assert.equal(parseNdp(longMac), undefined);
  });

  it('a probe that names a MAC, or does not ask the group', () => {
    assert.equal(parseNdp(followedBy(probe, [1, 1, 2, 0, 0, 0, 0, 10])), undefined);
    const [a, b] = [at('2001:db8::b'), at('ff02::1:ff00:a')];
    for (const destination of [a, b, allNodes]) {
      const message = parseNdp(probe);
      assert(message);
      assert.equal(parseNdp(formatNdp({ ...message, destination })), undefined);
    }
  });

  it('an answer to all', () => {
    const defence = packetOf(capturedNdp.defence);
    assert.equal(parseNdp(withBytes(defence, 44, [0x60])), undefined);
  });
});

describe('groups', () => {
  it('a solicited-node group has the last 24 bits of its address, its MAC the last 32', () => {
    const group = solicitedNodeGroup(at('2001:db8::12:3456:789a'));
    assert.deepEqual(group, at('ff02::1:ff56:789a'));
    assert.equal(groupMac(group), '33:33:ff:56:78:9a');
    assert.equal(groupMac(allNodes), '33:33:00:00:00:01');
    const asked = addressFromBytes(capturedNdp.question.subarray(38, 54));
    assert.deepEqual(solicitedNodeGroup(at('2001:db8::b')), asked);
  });
});
