import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { type Address, parseAddress } from '../../net/address.ts';
import { anyIPv4, anyMac } from './testing/arbitraries.ts';
import {
  answerTo,
  type Arp,
  formatArp,
  gratuitousReply,
  gratuitousRequest,
  parseArp,
} from './arp.ts';
import { captured } from './testing/captured.ts';

const anyArp: fc.Arbitrary<Arp> = fc.record(
  {
    operation: fc.constantFrom('request', 'reply'),
    senderMac: anyMac,
    sender: anyIPv4,
    targetMac: anyMac,
    target: anyIPv4,
  },
  { noNullPrototype: true },
);

function address(text: string): Address {
  const parsed = parseAddress(text);
  assert(parsed);
  return parsed;
}

describe('ARP on the wire', () => {
  it('reads the question that Linux asks', () => {
    assert.deepEqual(parseArp(captured.question.subarray(14)), {
      operation: 'request',
      senderMac: '02:00:00:00:00:0a',
      sender: address('198.51.100.10'),
      targetMac: '00:00:00:00:00:00',
      target: address('198.51.100.11'),
    });
  });

  it('answers byte for byte as Linux does, a probe too', () => {
    for (const [asked, answered] of [
      [captured.question, captured.answer],
      [captured.probe, captured.defence],
    ] as const) {
      const question = parseArp(asked.subarray(14));
      assert(question);
      const answer = formatArp(answerTo(question, '02:00:00:00:00:0b'));
      assert.deepEqual(answer, answered.subarray(14));
    }
  });

  it('announces in the reply form byte for byte as arping does', () => {
    const message = gratuitousReply(address('198.51.100.10'), '02:00:00:00:00:0a');
    assert.deepEqual(formatArp(message), captured.gratuitousReply.subarray(14));
  });

  it('announces in the request form with no target MAC, where arping writes broadcast', () => {
    const expected = captured.gratuitousRequest.slice(14).fill(0, 18, 24);
    const message = gratuitousRequest(address('198.51.100.10'), '02:00:00:00:00:0a');
    assert.deepEqual(formatArp(message), expected);
  });

  it('reads back as written', () => {
    fc.assert(fc.property(anyArp, (arp) => assert.deepEqual(parseArp(formatArp(arp)), arp)));
  });

  it('is refused, or written back byte for byte, whatever the bytes', () => {
    const nearlyArp = fc
      .tuple(anyArp.map(formatArp), fc.nat({ max: 27 }), fc.nat({ max: 255 }))
      .map(([bytes, at, byte]) => bytes.with(at, byte));
    fc.assert(
      fc.property(fc.oneof(nearlyArp, fc.uint8Array({ maxLength: 64 })), (bytes) => {
        const arp = parseArp(bytes);
        if (arp !== undefined) assert.deepEqual(formatArp(arp), bytes.slice(0, 28));
      }),
    );
  });

  it('ignores padding and refuses what is cut short', () => {
    const whole = captured.question.slice(14);
    for (let length = 0; length < 28; length++) {
      assert.equal(parseArp(whole.subarray(0, length)), undefined, `${length} bytes`);
    }
    const padded = new Uint8Array(46).fill(0xee);
    padded.set(whole);
    assert.deepEqual(parseArp(padded), parseArp(whole));
  });

  it('refuses other hardware, other protocols, other lengths and other operations', () => {
    const whole = captured.question.slice(14);
    for (const at of [0, 1, 2, 3, 4, 5, 6, 7]) {
      assert.equal(parseArp(whole.with(at, 9)), undefined, `byte ${at}`);
    }
  });
});
