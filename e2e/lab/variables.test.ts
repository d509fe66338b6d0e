import assert from 'node:assert/strict';
import { test } from 'node:test';
import { integerBetween, listOf } from '../../daemon/settings.ts';
import { readVariables, yesOrNo } from './variables.ts';

const variables = {
  CUTS: { fallback: 10, parse: integerBetween(1, 100), help: 'how many power cuts are made' },
  KEEP: { fallback: false, parse: yesOrNo, help: 'whether the lab stays' },
};
const read = (environment: Record<string, string>, words: string[] = []) =>
  readVariables(variables, words, environment);

test('an empty variable says as little as one that is not there', () => {
  const defaults = { kind: 'said', said: { CUTS: 10, KEEP: false } };
  assert.deepEqual(read({}), defaults);
  assert.deepEqual(read({ CUTS: '', KEEP: '' }), defaults);
});

test('no means no', () => {
  for (const text of ['0', 'no', 'false', 'off', 'No'])
    assert.deepEqual(read({ KEEP: text }), { kind: 'said', said: { CUTS: 10, KEEP: false } });
  for (const text of ['1', 'yes', 'true', 'on'])
    assert.deepEqual(read({ KEEP: text }), { kind: 'said', said: { CUTS: 10, KEEP: true } });
});

test('every fault is told as it was written, with what is allowed', () => {
  assert.deepEqual(read({ CUTS: 'abc', KEEP: 'maybe' }, ['--cuts=3']), {
    kind: 'faults',
    faults: [
      '--cuts=3 is no variable: write CUTS=VALUE',
      'CUTS=abc is not a whole number between 1 and 100 (how many power cuts are made)',
      'KEEP=maybe is neither 1 nor 0 (whether the lab stays)',
    ],
  });
});

test('a list is separated by commas', () => {
  const sizes = { fallback: [1], parse: listOf(integerBetween(1, 9)), help: 'how many' };
  const reading = readVariables({ SIZES: sizes }, [], { SIZES: '1,2' });
  assert.deepEqual(reading, { kind: 'said', said: { SIZES: [1, 2] } });
});
