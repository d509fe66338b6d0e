import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  addAtomically,
  call,
  compute,
  exit,
  formatInstructions,
  jump,
  jumpIf,
  label,
  type Lines,
  load,
  networkHalf,
  networkWord,
  pointToMap,
  pointToValue,
  store,
} from './ebpf.ts';

const hex = (lines: Lines): string =>
  Buffer.from(formatInstructions(lines))
    .toString('hex')
    .replaceAll(/(.{16})(?!$)/g, '$1 ');

describe('eBPF instructions', () => {
  // The right-hand sides were put together by hand from the tables of RFC 9669.
  const encodings: Readonly<Record<string, readonly [Lines, string]>> = {
    'r1 = 7': [[compute('set', 'r1', 7)], 'b701000007000000'],
    'r0 = -1': [[compute('set', 'r0', -1)], 'b7000000ffffffff'],
    'r6 = r1': [[compute('set', 'r6', 'r1')], 'bf16000000000000'],
    'r2 += -20': [[compute('add', 'r2', -20)], '07020000ecffffff'],
    'r9 |= r0': [[compute('or', 'r9', 'r0')], '4f09000000000000'],
    'r1 >>= 16': [[compute('shiftRight', 'r1', 16)], '7701000010000000'],
    'r7 = *(u32 *)(r6 + 76)': [[load('word', 'r7', ['r6', 76])], '61674c0000000000'],
    'r0 = *(u8 *)(r7 + 14)': [[load('byte', 'r0', ['r7', 14])], '71700e0000000000'],
    '*(u32 *)(r10 - 20) = r5': [[store('word', ['r10', -20], 'r5')], '635aecff00000000'],
    '*(u16 *)(r7 + 20) = 512': [[store('half', ['r7', 20], 512)], '6a07140000020000'],
    '*(u64 *)(r8 + 16) += r1, atomically': [[addAtomically(['r8', 16], 'r1')], 'db18100000000000'],
    'call 5': [[call('nowNs')], '8500000005000000'],
    exit: [[exit], '9500000000000000'],
    'r1 = map 9': [[pointToMap('r1', 9)], '1811000009000000 0000000000000000'],
    'r8 = value of map 9': [[pointToValue('r8', 9)], '1828000009000000 0000000000000000'],
  };
  for (const [name, [lines, expected]] of Object.entries(encodings)) {
    it(`${name} is ${expected}`, () => assert.equal(hex(lines), expected));
  }

  it('jump as far as their labels are, and what points to a map counts for two', () => {
    const lines = [
      label('start'),
      jumpIf('r0', '!=', 1, 'end'),
      pointToMap('r1', 3),
      jumpIf('r1', '>=', 'r0', 'start'),
      jump('end'),
      label('end'),
      exit,
    ];
    const [first, , , back, onward] = hex(lines).split(' ');
    assert.equal(first, '5500040001000000');
    assert.equal(back, '3d01fcff00000000');
    assert.equal(onward, '0500000000000000');
  });

  it('refuse labels that are missing or there twice', () => {
    assert.throws(() => formatInstructions([jump('nowhere')]), /nowhere/);
    assert.throws(() => formatInstructions([label('here'), label('here'), exit]), /here/);
  });

  it('compare what a frame has in network order', () => {
    assert.equal(networkHalf(0x0806), 0x0608);
    assert.equal(networkWord(0x0001_0800), 0x0008_0100);
    assert.equal(networkWord(0x0102_03ff), 0xff03_0201);
  });
});
