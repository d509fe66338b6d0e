import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { percentile, percentilesOf } from './percentiles.ts';

test('the nearest rank is taken, never a value between two samples', () => {
  const samples = [15, 20, 35, 40, 50];
  assert.equal(percentile(samples, 30), 20);
  assert.equal(percentile(samples, 40), 20);
  assert.equal(percentile(samples, 50), 35);
  assert.equal(percentile(samples, 100), 50);
});

test('of ten samples the p99 is the worst', () => {
  const samples = [9, 1, 8, 2, 7, 3, 6, 4, 5, 100];
  assert.deepEqual(percentilesOf(samples), { min: 1, p50: 5, p99: 100, max: 100 });
});

test('at least p percent of the samples do not exceed the p-th percentile, and no smaller one does it', () => {
  const samplesAndRank = fc.tuple(
    fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 60 }),
    fc.integer({ min: 1, max: 100 }),
  );
  fc.assert(
    fc.property(samplesAndRank, ([samples, p]) => {
      const found = percentile(samples, p);
      const share = (limit: number) =>
        (100 * samples.filter((sample) => sample <= limit).length) / samples.length;
      assert.ok(samples.includes(found));
      assert.ok(share(found) >= p);
      for (const sample of samples) assert.ok(sample >= found || share(sample) < p);
    }),
  );
});

test('no samples have no percentile', () => {
  assert.throws(() => percentile([], 50), /no 50th percentile of 0 samples/);
});
