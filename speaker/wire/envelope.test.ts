import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { type Envelope, mostMessageBytes, open, seal } from './envelope.ts';

const key = new Uint8Array(32).fill(1);
const otherKey = new Uint8Array(32).fill(2);
const message: Envelope = { kind: 3, boot: 7n, sequence: 9n, payload: Uint8Array.of(1, 2, 3) };

const anyEnvelope: fc.Arbitrary<Envelope> = fc.record(
  {
    kind: fc.nat({ max: 255 }),
    boot: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    sequence: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    payload: fc.uint8Array({ maxLength: mostMessageBytes }),
  },
  { noNullPrototype: true },
);

describe('an envelope', () => {
  it('is laid out as its table says', () => {
    const head = Buffer.from('486701030003' + '0000000000000007' + '0000000000000009', 'hex');
    const sealed = Buffer.concat([head, message.payload]);
    const tag = createHmac('sha256', key).update(sealed).digest().subarray(0, 16);
    assert.deepEqual(Buffer.from(seal(message, key)), Buffer.concat([sealed, tag]));
  });

  it('opens to what was sealed, with padding behind it too', () => {
    fc.assert(
      fc.property(anyEnvelope, fc.uint8Array({ maxLength: 46 }), (envelope, padding) => {
        const bytes = seal(envelope, key);
        assert(bytes.length <= 1500);
        assert.deepEqual(open(bytes, [key]), envelope);
        assert.deepEqual(open(Uint8Array.of(...bytes, ...padding), [key]), envelope);
      }),
    );
  });

  it('opens with any of the keys during a rotation, and with no other', () => {
    const bytes = seal(message, otherKey);
    assert.deepEqual(open(bytes, [key, otherKey]), message);
    assert.equal(open(bytes, [key]), undefined);
    assert.equal(open(bytes, []), undefined);
  });

  it('stays shut when any bit was changed', () => {
    const bytes = seal(message, key);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const at = bit >> 3;
      const changed = bytes.with(at, (bytes[at] ?? 0) ^ (1 << (bit & 7)));
      assert.equal(open(changed, [key]), undefined, `bit ${bit}`);
    }
  });

  it('stays shut when cut anywhere', () => {
    const bytes = seal(message, key);
    for (let length = 0; length < bytes.length; length++) {
      assert.equal(open(bytes.subarray(0, length), [key]), undefined, `${length} bytes`);
    }
  });

  it('never throws, whatever the bytes', () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 1600 }),
      fc.uint8Array({ minLength: 38, maxLength: 80 }).map((bytes) => {
        bytes.set([0x48, 0x67, 1, 0]);
        bytes[4] = 0;
        return bytes;
      }),
    );
    fc.assert(fc.property(hostile, (bytes) => assert.equal(open(bytes, [key]), undefined)));
  });

  it('refuses to be sealed around what no frame can carry, and says the limit', () => {
    const payload = new Uint8Array(mostMessageBytes + 1);
    assert.throws(() => seal({ ...message, payload }, key), /1463 bytes.*at most 1462/);
    assert.throws(() => seal({ ...message, kind: 256 }, key), /kind 256: a kind is one byte/);
  });
});
