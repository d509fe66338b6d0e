import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFresh, openWindow, windowWidth } from './replay.ts';

test('a sequence is fresh once, whatever the order, as long as it is not too old to tell', () => {
  const steps = fc.array(fc.bigInt({ min: -3000n, max: 3000n }), { maxLength: 200 });
  fc.assert(
    fc.property(steps, (offsets) => {
      const first = 1n << 40n;
      const window = openWindow(first);
      const seen = new Set([first]);
      let highest = first;
      for (const offset of offsets) {
        const sequence = highest + offset;
        const expected = !seen.has(sequence) && highest - sequence < windowWidth;
        assert.equal(isFresh(window, sequence), expected);
        seen.add(sequence);
        if (sequence > highest) highest = sequence;
      }
    }),
  );
});

test('a burst of ten thousand claims may come in any order', () => {
  const window = openWindow(1n);
  for (let sequence = 260n; sequence > 1n; sequence--) assert.ok(isFresh(window, sequence));
});
