import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Course, follow, unchecked, worstOf } from './health.ts';

/** A check made every second: `+` passes, `-` fails. */
function checked(results: string, from: Course = unchecked): Course {
  let course = from;
  for (const [second, result] of results.split('').entries()) {
    course = follow(course, result === '+', second * 1000);
  }
  return course;
}

const healthAfter = (results: string): string => checked(results).health;

test('before the first result nobody knows, nor whether there was a failure just before it', () => {
  assert.equal(unchecked.health, 'unsure');
  assert.equal(healthAfter('+++'), 'unsure');
  assert.equal(healthAfter('++++'), 'well');
});

test('three failures in a row make sick, and nothing less', () => {
  assert.equal(healthAfter('+-'), 'unsure');
  assert.equal(healthAfter('+--'), 'unsure');
  assert.equal(healthAfter('+---'), 'sick');
  assert.equal(healthAfter('---'), 'sick');
  assert.equal(healthAfter('+' + '--+'.repeat(20)), 'unsure');
});

test('after a failure nobody is sure for three seconds', () => {
  assert.equal(healthAfter('+-++'), 'unsure');
  assert.equal(healthAfter('+-+++'), 'well');
});

test('who was sick is well again after half a minute without a failure', () => {
  assert.equal(healthAfter('---+'), 'mending');
  assert.equal(healthAfter('---' + '+'.repeat(29)), 'mending');
  assert.equal(healthAfter('---' + '+'.repeat(30)), 'well');
});

test('a failure while it mends counts the half minute anew, and three make it sick', () => {
  assert.equal(healthAfter('---' + '+'.repeat(20) + '-' + '+'.repeat(29)), 'mending');
  assert.equal(healthAfter('---' + '+'.repeat(20) + '-' + '+'.repeat(30)), 'well');
  assert.equal(healthAfter('---+-'), 'mending');
  assert.equal(healthAfter('---+---'), 'sick');
});

test('a node is as well as the worst of its checks says', () => {
  assert.equal(worstOf([]), 'well');
  assert.equal(worstOf(['well', 'unsure']), 'unsure');
  assert.equal(worstOf(['unsure', 'mending']), 'mending');
  assert.equal(worstOf(['sick', 'mending', 'well']), 'sick');
});
