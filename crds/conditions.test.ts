import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { condition, readyCondition } from './conditions.ts';
import type { Problem, ProblemReason } from './problem.ts';

const noon = new Date('2026-11-21T12:00:00.250Z');
const later = new Date('2026-11-21T13:00:00Z');

const problem = (reason: ProblemReason, detail: string): Problem => ({
  kind: 'IPAddressPool',
  name: 'lan',
  reason,
  detail,
});

describe('readyCondition', () => {
  it('is True for an object without problems', () => {
    assert.deepEqual(readyCondition([], { now: noon, generation: 3 }), {
      type: 'Ready',
      status: 'True',
      reason: 'Accepted',
      message: 'Everything in the object is in use as written.',
      lastTransitionTime: '2026-11-21T12:00:00Z',
      observedGeneration: 3,
    });
  });

  it('gives the gravest reason and tells all, in whichever order they were found', () => {
    const problems = [
      problem('NoAdvertisement', 'nobody answers: create one'),
      problem('InvalidAddresses', 'spec.addresses[0]: wrong'),
    ];
    for (const found of [problems, problems.toReversed()]) {
      const { status, reason, message } = readyCondition(found, { now: noon });
      assert.equal(status, 'False');
      assert.equal(reason, 'InvalidAddresses');
      assert.equal(message, 'spec.addresses[0]: wrong.\nnobody answers: create one.');
    }
  });

  it('keeps its time until the status changes, and so compares equal when nothing did', () => {
    const first = readyCondition([problem('UnknownPool', 'a')], { now: noon });
    assert.deepEqual(
      readyCondition([problem('UnknownPool', 'a')], { now: later, before: first }),
      first,
    );
    const other = readyCondition([problem('InvalidField', 'b')], { now: later, before: first });
    assert.equal(other.lastTransitionTime, first.lastTransitionTime);
    const mended = readyCondition([], { now: later, before: first });
    assert.equal(mended.lastTransitionTime, '2026-11-21T13:00:00Z');
  });

  it('is always one that the API server takes', () => {
    const many = Array.from({ length: 5_000 }, () => problem('InvalidAddresses', 'x'.repeat(80)));
    for (const problems of [[], many]) {
      condition.parse(readyCondition(problems, { now: noon, generation: 1 }));
    }
  });
});
