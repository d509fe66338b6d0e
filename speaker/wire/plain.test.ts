import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { macToBytes } from '../../net/mac.ts';
import { readNeighbours, neighboursOf } from './family.ts';
import { checksumOf } from './ndp.ts';
import { keyOf, plainOf } from './plain.ts';
import { anyIPv4, anyIPv6 } from './testing/arbitraries.ts';
import { captured } from './testing/captured.ts';
import { capturedNdp } from './testing/captured-ndp.ts';

const mac = '02:00:00:00:00:0b';
const plain = [captured.question, captured.unicastQuestion, capturedNdp.question];

/** With a checksum that is right again, where the frame has room for one. */
function summed(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 86) return bytes;
  const frame = bytes.slice().fill(0, 56, 58);
  new DataView(frame.buffer).setUint16(56, checksumOf(frame.subarray(14, 86)));
  return frame;
}

/** Questions of which some bytes are others, or are repeated elsewhere. */
const nearlyPlain = fc
  .record({
    frame: fc.constantFrom(...plain),
    bytes: fc.array(fc.tuple(fc.nat({ max: 90 }), fc.nat({ max: 255 })), { maxLength: 4 }),
    zeroed: fc.option(fc.constantFrom([22, 28], [28, 32], [22, 38], [80, 86]), { nil: undefined }),
    cut: fc.option(fc.nat({ max: 90 }), { nil: undefined }),
    right: fc.boolean(),
  })
  .map(({ frame, bytes, zeroed, cut, right }) => {
    const changed = frame.slice();
    for (const [at, byte] of bytes) changed[at] = byte;
    if (zeroed !== undefined) changed.fill(0, ...zeroed);
    return (right ? summed(changed) : changed).subarray(0, cut);
  });

describe('a plain question', () => {
  it('is what neighbours ask all the time, and nothing else', () => {
    for (const frame of plain) assert.notEqual(plainOf(frame), undefined);
    const { question: _arp, unicastQuestion: _unicast, ...otherArp } = captured;
    const { question: _ndp, ...otherNdp } = capturedNdp;
    for (const [name, frame] of Object.entries({ ...otherArp, ...otherNdp })) {
      const heard = readNeighbours(frame);
      if (heard?.kind === 'question' && heard.askerAddress !== undefined) continue;
      assert.equal(plainOf(frame), undefined, name);
    }
  });

  it('is answered byte for byte as the codecs answer it, and is no question where they read none', () => {
    fc.assert(
      fc.property(nearlyPlain, (frame) => {
        const found = plainOf(frame);
        if (found === undefined) return;
        const heard = readNeighbours(frame);
        assert(heard?.kind === 'question' && heard.askerAddress !== undefined);
        assert.equal(found.targetKey(frame), keyOf(heard.target));
        const expected = neighboursOf(heard.target.family).answer(heard, mac);
        assert.deepEqual(found.answer(frame, macToBytes(mac)), expected);
        assert.deepEqual(frame.subarray(found.askerAt, found.askerAt + 6), macToBytes(heard.asker));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is about an address that no other has the key of', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(anyIPv4, anyIPv6)), (some) => {
        const addresses = new Map(some.map((one) => [`${one.family} ${one.value}`, one]));
        assert.equal(new Set([...addresses.values()].map(keyOf)).size, addresses.size);
      }),
    );
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1600 }), (bytes) => {
        plainOf(bytes)?.answer(bytes, macToBytes(mac));
      }),
    );
  });
});
