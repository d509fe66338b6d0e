import assert from 'node:assert/strict';
import { test } from 'node:test';
import { costOf, parseCost, threadSeconds } from './cost.ts';

const stat = '42 (a (strange) name) S 1 42 42 0 -1 4194560 9 0 0 0 250 150 0 0 20 0 11 0 7 0 0';
const status = 'Name:\tnode\nVmPeak:\t  999999 kB\nVmHWM:\t  204800 kB\nVmRSS:\t  102400 kB\n';

test('CPU seconds are those of user and system, memory is in megabytes', () => {
  assert.deepEqual(parseCost(stat, status), { cpuSeconds: 4, residentMb: 100, peakMb: 200 });
});

test('a field that is not there is named, and not taken for zero', () => {
  assert.throws(() => parseCost(stat, 'VmHWM:\t  1 kB\n'), /VmRSS/);
  assert.throws(() => parseCost('42 (node) S', status), /CPU time/);
});

test('the threads of a process cost together no more than the process', () => {
  const threads = threadSeconds(process.pid).reduce((sum, seconds) => sum + seconds, 0);
  const whole = costOf(process.pid).cpuSeconds;
  assert.ok(whole > 0);
  assert.ok(threads <= whole + 0.01, `${threads} s in threads, ${whole} s in all`);
});
