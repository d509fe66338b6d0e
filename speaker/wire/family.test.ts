import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { type Address, formatAddress, parseAddress } from '../../net/address.ts';
import { captured } from './testing/captured.ts';
import { arp, neighboursOf } from './family.ts';

const at = (text: string): Address => {
  const address = parseAddress(text);
  assert(address);
  return address;
};

describe('neighbours over ARP', () => {
  it('takes broadcast and unicast requests for questions', () => {
    assert.deepEqual(arp.read(captured.question), {
      kind: 'question',
      target: at('198.51.100.11'),
      asker: '02:00:00:00:00:0a',
      askerAddress: at('198.51.100.10'),
    });
    assert.equal(arp.read(captured.unicastQuestion)?.kind, 'question');
  });

  it('takes a probe for a question of somebody who has no address yet', () => {
    const heard = arp.read(captured.probe);
    assert(heard?.kind === 'question');
    assert.equal(heard.askerAddress, undefined);
  });

  it('takes replies and both gratuitous forms for assertions of the sender', () => {
    for (const frame of [captured.gratuitousRequest, captured.gratuitousReply]) {
      assert.deepEqual(arp.read(frame), {
        kind: 'assertion',
        address: at('198.51.100.10'),
        mac: '02:00:00:00:00:0a',
      });
    }
    const heard = arp.read(captured.answer);
    assert(heard?.kind === 'assertion');
    assert.equal(formatAddress(heard.address), '198.51.100.11');
  });

  it('answers a question and a probe as Linux does, padded to the shortest frame', () => {
    for (const [asked, answered] of [
      [captured.question, captured.answer],
      [captured.probe, captured.defence],
    ] as const) {
      const question = arp.read(asked);
      assert(question?.kind === 'question');
      const frame = arp.answer(question, '02:00:00:00:00:0b');
      assert.equal(frame.length, 60);
      assert.deepEqual(frame.subarray(0, 42), answered);
    }
  });

  it('announces in both forms, and reads its own announcements as assertions', () => {
    const frames = arp.unsolicited(at('198.51.100.10'), '02:00:00:00:00:0a');
    assert.equal(frames.length, 2);
    assert.deepEqual(
      frames.map((frame) => frame[21]),
      [1, 2],
    );
    for (const frame of frames) assert.equal(arp.read(frame)?.kind, 'assertion');
  });

  it('believes nobody whose MAC is a group, broadcast or nothing', () => {
    for (const first of [0x01, 0x03, 0xff]) {
      assert.equal(arp.read(captured.question.with(22, first)), undefined);
    }
    assert.equal(arp.read(captured.question.slice().fill(0, 22, 28)), undefined);
  });

  it('reads nothing in a tagged frame, another type or a cut frame', () => {
    const { question } = captured;
    const tagged = Uint8Array.of(
      ...question.subarray(0, 12),
      0x81,
      0,
      0,
      7,
      ...question.subarray(12),
    );
    assert.equal(arp.read(tagged), undefined);
    assert.equal(arp.read(question.with(13, 0)), undefined);
    assert.equal(arp.read(question.subarray(0, 41)), undefined);
  });

  it('never throws, whatever the bytes', () => {
    const nearly = fc
      .tuple(fc.constantFrom(...Object.values(captured)), fc.nat({ max: 41 }), fc.nat({ max: 255 }))
      .map(([bytes, offset, byte]) => bytes.with(offset, byte));
    fc.assert(
      fc.property(fc.oneof(nearly, fc.uint8Array({ maxLength: 1600 })), (bytes) => {
        const heard = arp.read(bytes);
        if (heard?.kind === 'question') arp.answer(heard, '02:00:00:00:00:0b');
      }),
    );
  });
});

it('every family has its protocol, or says that it has none', () => {
  assert.equal(neighboursOf('IPv4'), arp);
  assert.equal(neighboursOf('IPv6'), undefined);
});
