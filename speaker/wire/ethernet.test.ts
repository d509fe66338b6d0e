import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { etherTypes, formatFrame, isStation, parseFrame, speakersMac } from './ethernet.ts';
import { anyFrame, anyMac } from './testing/arbitraries.ts';

describe('an Ethernet frame', () => {
  it('reads back as written, but for the padding', () => {
    fc.assert(
      fc.property(anyFrame, (frame) => {
        const parsed = parseFrame(formatFrame(frame));
        assert.deepEqual(parsed && { ...parsed, payload: undefined }, {
          ...frame,
          payload: undefined,
        });
        assert.deepEqual(parsed?.payload.subarray(0, frame.payload.length), frame.payload);
        assert(parsed?.payload.subarray(frame.payload.length).every((byte) => byte === 0));
      }),
    );
  });

  it('is never shorter than 60 bytes', () => {
    const frame = { destination: speakersMac, source: '02:00:00:00:00:0a', etherType: 0x88b5 };
    assert.equal(formatFrame({ ...frame, payload: new Uint8Array(1) }).length, 60);
    assert.equal(formatFrame({ ...frame, payload: new Uint8Array(46) }).length, 60);
    assert.equal(formatFrame({ ...frame, payload: new Uint8Array(47) }).length, 61);
  });

  it('is refused, or written back byte for byte, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 128 }), (bytes) => {
        const frame = parseFrame(bytes);
        if (frame === undefined) assert(bytes.length < 14 || (bytes[12] ?? 0) < 6);
        else assert.deepEqual(formatFrame(frame).subarray(0, bytes.length), bytes);
      }),
    );
  });

  it('is read from the middle of a larger buffer', () => {
    const bytes = new Uint8Array(100);
    const frame = {
      destination: speakersMac,
      source: '02:00:00:00:00:0a',
      etherType: 0x88b5,
      payload: Uint8Array.of(7),
    };
    bytes.set(formatFrame(frame), 33);
    assert.equal(parseFrame(bytes.subarray(33, 93))?.etherType, etherTypes.speaker);
  });

  it('with a length in place of a type is refused', () => {
    const bytes = new Uint8Array(60);
    bytes[12] = 0x05;
    bytes[13] = 0xdc;
    assert.equal(parseFrame(bytes), undefined);
  });

  it('with a VLAN tag shows the tag as its type, so that no protocol takes it for its own', () => {
    const bytes = new Uint8Array(64);
    bytes.set([0x81, 0x00, 0x00, 0x64, 0x08, 0x06], 12);
    assert.equal(parseFrame(bytes)?.etherType, 0x8100);
  });
});

describe('a station', () => {
  it('is no group, no broadcast and not nothing', () => {
    assert(isStation('02:00:00:00:00:0a'));
    for (const mac of [
      speakersMac,
      'ff:ff:ff:ff:ff:ff',
      '00:00:00:00:00:00',
      '01:00:5e:00:00:01',
    ]) {
      assert(!isStation(mac), mac);
    }
  });

  it('is decided by the lowest bit of the first byte', () => {
    fc.assert(
      fc.property(anyMac, (mac) => {
        const group = '13579bdf'.includes(mac.charAt(1));
        assert.equal(isStation(mac), !group && mac !== '00:00:00:00:00:00');
      }),
    );
  });
});
