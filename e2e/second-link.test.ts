/**
 * Proves at a client of a second LAN that a node whose link there goes dead says so over its other one: another node
 * answers long before the dead one is missed, and nothing moves back when the link returns.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { SecondLink } from './announcing/second-link.ts';
import { percentilesOf } from './lab/percentiles.ts';
import { needsLab } from './lab/requirements.ts';

describe('a second link', needsLab, () => {
  let second: SecondLink;
  before(async () => {
    second = await SecondLink.open();
  });
  after(() => second[Symbol.asyncDispose]());

  test('that loses its carrier is told of over the first one', async () => {
    const samplesMs = await second.loseCarrier(5);
    // Without being told nobody misses it before two intervals have passed.
    const { p50 } = percentilesOf(samplesMs);
    assert.ok(p50 < 150, `p50 ${p50} ms of ${samplesMs.join(', ')}`);
    assert.deepEqual(second.cluster.crashes(), []);
  });
});
