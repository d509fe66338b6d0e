import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { type Address, formatAddress, parseAddress } from '../../net/address.ts';
import { type Mac, macFromBytes } from '../../net/mac.ts';
import { formatFrame } from './ethernet.ts';
import { formatNdp, parseNdp } from './ndp.ts';
import { captured } from './testing/captured.ts';
import { capturedNdp } from './testing/captured-ndp.ts';
import { arp, claimIn, ndp, neighboursOf, readNeighbours } from './family.ts';

const at = (text: string): Address => {
  const address = parseAddress(text);
  assert(address);
  return address;
};

/** The question in this frame, asked by us. */
function askedAgain(frame: Uint8Array, to: Mac | undefined): Uint8Array {
  const heard = readNeighbours(frame);
  assert(heard?.kind === 'question' && heard.askerAddress !== undefined);
  const { target, asker, askerAddress } = heard;
  return neighboursOf(target.family).ask(target, { mac: asker, address: askerAddress }, to);
}

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

  it('asks everybody, or one station, as Linux does', () => {
    for (const [asked, at] of [
      [captured.question, undefined],
      [captured.unicastQuestion, macFromBytes(captured.unicastQuestion)],
    ] as const) {
      assert.deepEqual(askedAgain(asked, at).subarray(0, 42), asked);
    }
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

  it('asks byte for byte as Linux does', () => {
    const asker = { mac: '02:00:00:00:00:0a', address: at('198.51.100.10') };
    const frame = arp.ask(at('198.51.100.11'), asker);
    assert.equal(frame.length, 60);
    assert.deepEqual(frame.subarray(0, 42), captured.question);
  });

  it('probes as arping does, with nothing where the MAC is asked for (RFC 5227 §2.1.1)', () => {
    const frame = arp.probe(at('198.51.100.11'), '02:00:00:00:00:0a');
    assert.equal(frame.length, 60);
    assert.deepEqual(frame.subarray(0, 42), captured.probe.slice().fill(0, 32, 38));
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

describe('neighbours over NDP', () => {
  const mac = '02:00:00:00:00:0b';

  it('takes solicitations to the group and to one station for questions', () => {
    assert.deepEqual(ndp.read(capturedNdp.question), {
      kind: 'question',
      target: at('2001:db8::b'),
      asker: '02:00:00:00:00:0a',
      askerAddress: at('2001:db8::a'),
    });
    assert.equal(ndp.read(capturedNdp.unicastQuestion)?.kind, 'question');
  });

  it('asks the group, or one station, byte for byte as Linux does', () => {
    for (const [asked, at] of [
      [capturedNdp.question, undefined],
      [capturedNdp.unicastQuestion, macFromBytes(capturedNdp.unicastQuestion)],
    ] as const) {
      assert.deepEqual(askedAgain(asked, at), asked);
    }
  });

  it('takes a probe for a question of somebody who has no address yet', () => {
    const heard = ndp.read(capturedNdp.probe);
    assert(heard?.kind === 'question');
    assert.equal(heard.askerAddress, undefined);
    assert.equal(heard.asker, '02:00:00:00:00:0a');
  });

  it('takes advertisements for assertions, of whoever sent the frame where they name no MAC', () => {
    const claimed = { kind: 'assertion', address: at('2001:db8::b'), mac };
    for (const frame of [capturedNdp.answer, capturedNdp.defence, capturedNdp.unsolicited]) {
      assert.deepEqual(ndp.read(frame), claimed);
    }
    const heard = ndp.read(capturedNdp.unicastAnswer);
    assert.deepEqual(heard, { ...claimed, address: at('2001:db8::a'), mac: '02:00:00:00:00:0a' });
  });

  it('takes a question that somebody asks from the address itself for an assertion', () => {
    const [own, asker] = [at('2001:db8::b'), '02:00:00:00:00:66'];
    const question = { kind: 'solicitation', source: own, target: own, mac: asker } as const;
    const payload = formatNdp({ ...question, destination: at('ff02::1:ff00:b') });
    const header = { destination: '33:33:ff:00:00:0b', source: asker, etherType: 0x86dd };
    const heard = ndp.read(formatFrame({ ...header, payload }));
    assert.deepEqual(heard, { kind: 'assertion', address: own, mac: asker });
  });

  it('answers a question and a probe byte for byte as Linux does', () => {
    for (const [asked, answered] of [
      [capturedNdp.question, capturedNdp.answer],
      [capturedNdp.probe, capturedNdp.defence],
    ] as const) {
      const question = ndp.read(asked);
      assert(question?.kind === 'question');
      assert.deepEqual(ndp.answer(question, mac), answered);
    }
  });

  it('asks byte for byte as Linux does', () => {
    const asker = { mac: '02:00:00:00:00:0a', address: at('2001:db8::a') };
    assert.deepEqual(ndp.ask(at('2001:db8::b'), asker), capturedNdp.question);
  });

  it('probes byte for byte as Linux does', () => {
    const probe = ndp.probe(at('2001:db8::b'), '02:00:00:00:00:0a');
    assert.deepEqual(probe, capturedNdp.plainProbe);
  });

  it('names the MAC in answers to one station, too, where Linux does not', () => {
    const question = ndp.read(capturedNdp.unicastQuestion);
    assert(question?.kind === 'question');
    const answer = parseNdp(ndp.answer(question, '02:00:00:00:00:0a').subarray(14));
    const plain = parseNdp(capturedNdp.unicastAnswer.subarray(14));
    assert(plain);
    assert.deepEqual(answer, { ...plain, mac: '02:00:00:00:00:0a', override: true });
  });

  it('announces byte for byte as Linux does', () => {
    assert.deepEqual(ndp.unsolicited(at('2001:db8::b'), mac), [capturedNdp.unsolicited]);
  });

  it('believes nobody whose MAC is a group, broadcast or nothing', () => {
    const question = parseNdp(capturedNdp.question.subarray(14));
    assert(question);
    for (const mac of ['01:00:00:00:00:0a', 'ff:ff:ff:ff:ff:ff', '00:00:00:00:00:00']) {
      const payload = formatNdp({ ...question, mac });
      const header = { destination: '33:33:ff:00:00:0b', source: mac, etherType: 0x86dd };
      assert.equal(ndp.read(formatFrame({ ...header, payload })), undefined, mac);
      assert.equal(ndp.read(capturedNdp.probe.with(6, 0x33)), undefined);
    }
  });

  it('reads nothing in a tagged frame, another type or a cut frame', () => {
    const { question } = capturedNdp;
    const tagged = Uint8Array.of(...question.subarray(0, 12), 0x81, 0, 0, 7, ...question.slice(12));
    assert.equal(ndp.read(tagged), undefined);
    assert.equal(ndp.read(question.with(12, 8)), undefined);
    assert.equal(ndp.read(question.subarray(0, 85)), undefined);
  });

  it('never throws, whatever the bytes', () => {
    const nearly = fc
      .tuple(
        fc.constantFrom(...Object.values(capturedNdp)),
        fc.nat({ max: 77 }),
        fc.nat({ max: 255 }),
      )
      .map(([bytes, offset, byte]) => bytes.with(offset, byte));
    fc.assert(
      fc.property(fc.oneof(nearly, fc.uint8Array({ maxLength: 1600 })), (bytes) => {
        const heard = ndp.read(bytes);
        if (heard?.kind === 'question') ndp.answer(heard, mac);
      }),
    );
  });
});

describe('who has an address, or is about to', () => {
  const claimants = (frames: readonly Uint8Array[]): unknown[] =>
    frames.map((frame) => {
      const heard = readNeighbours(frame);
      const claim = heard === undefined ? undefined : claimIn(heard);
      return claim === undefined ? undefined : [formatAddress(claim.address), claim.mac];
    });

  it('says so in answers to a probe', () => {
    assert.deepEqual(claimants([captured.defence, capturedNdp.defence]), [
      ['198.51.100.11', '02:00:00:00:00:0b'],
      ['2001:db8::b', '02:00:00:00:00:0b'],
    ]);
  });

  it('says so unasked', () => {
    const { gratuitousRequest, gratuitousReply } = captured;
    assert.deepEqual(claimants([gratuitousRequest, gratuitousReply, capturedNdp.unsolicited]), [
      ['198.51.100.10', '02:00:00:00:00:0a'],
      ['198.51.100.10', '02:00:00:00:00:0a'],
      ['2001:db8::b', '02:00:00:00:00:0b'],
    ]);
  });

  it('probes for it', () => {
    const { probe, plainProbe } = capturedNdp;
    assert.deepEqual(claimants([captured.probe, probe, plainProbe]), [
      ['198.51.100.11', '02:00:00:00:00:0a'],
      ['2001:db8::b', '02:00:00:00:00:0a'],
      ['2001:db8::b', '02:00:00:00:00:0a'],
    ]);
  });

  it('is not who asks a question for it', () => {
    const questions = [captured.question, captured.unicastQuestion];
    const ndpQuestions = [capturedNdp.question, capturedNdp.unicastQuestion];
    for (const claimant of claimants([...questions, ...ndpQuestions])) {
      assert.equal(claimant, undefined);
    }
  });
});

it('every family has its protocol, and a frame is read by whichever it is of', () => {
  assert.equal(neighboursOf('IPv4'), arp);
  assert.equal(neighboursOf('IPv6'), ndp);
  for (const frame of [captured.question, capturedNdp.question]) {
    assert.equal(readNeighbours(frame)?.kind, 'question');
  }
});

it('IPv6 questions go to a group, IPv4 questions to all', () => {
  assert.deepEqual(ndp.group(at('2001:db8::1:2345')), at('ff02::1:ff01:2345'));
  assert.equal(arp.group(at('198.51.100.11')), undefined);
});
