import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Beside, formatTable, Job } from './job.ts';

const quiet: Beside = { crashes: () => [], logs: () => '' };

test('a job holds when every fact of every step holds', async () => {
  let told = '';
  const job = new Job((text) => (told += text), quiet);
  await job.step('Water flows', async ({ check, measured }) => {
    check('it flows down', true);
    measured('1 m/s');
  });
  assert.equal(job.held, true);
  assert.match(told, /1\. Water flows\n {3}ok {2}it flows down/);
  assert.deepEqual(job.steps[0]?.checks, ['it flows down']);
  assert.match(job.table(), /1 {2}Water flows {2}held .* 1 m\/s/);
});

test('a fact that does not hold fails its step, and the later ones are passed over', async () => {
  let told = '';
  const logs = () => 'the end of the log\n';
  const job = new Job((text) => (told += text), { ...quiet, logs });
  await job.step('Water flows', async ({ check }) => {
    check('it flows up', false, 'it was seen to fall');
    check('never asked', true);
  });
  await job.step('Ships sail', () => assert.fail('this step was to be passed over'));
  assert.equal(job.held, false);
  assert.match(
    told,
    /FAILED {2}this does not hold: it flows up \(it was seen to fall\)\nthe end of the log/,
  );
  assert.deepEqual(
    job.steps.map(({ outcome }) => outcome),
    ['failed', 'passed over'],
  );
  assert.deepEqual(job.steps[0]?.checks, []);
});

test('a step during which a program crashed has failed, whatever it saw', async () => {
  const crashes = () => ['operator on control ended: with code 1'];
  const job = new Job(() => {}, { ...quiet, crashes });
  await job.step('Water flows', async () => {});
  assert.equal(job.held, false);
  assert.equal(
    job.steps[0]?.fault,
    'a program ended by itself; operator on control ended: with code 1',
  );
});

test('the columns of a table are as wide as their widest cell', () => {
  assert.equal(
    formatTable([
      ['a', 'long head', 'c'],
      ['wide', 'x', ''],
    ]),
    ['a     long head  c', '────  ─────────  ─', 'wide  x', ''].join('\n'),
  );
});
