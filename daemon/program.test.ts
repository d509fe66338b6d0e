import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { until } from './testing/until.ts';

const sample = fileURLToPath(new URL('testing/sample-program.ts', import.meta.url));

/** Runs the sample, sending it each signal when it has begun or has taken in the one before. */
async function run(args: string[], ...signals: NodeJS.Signals[]) {
  const child = spawn(process.execPath, [sample, ...args], {
    timeout: 10_000,
    killSignal: 'SIGKILL',
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (bytes) => (out += String(bytes)));
  child.stderr.on('data', (bytes) => (err += String(bytes)));
  const closed = once(child, 'close');
  let lines = 0;
  for (const signal of signals) {
    lines++;
    await until(`it wrote ${lines} lines`, () => out.split('\n').length > lines);
    child.kill(signal);
  }
  const [code] = (await closed) as [number];
  const last = out.trim().split('\n').at(-1) ?? '';
  return { code, out, err, last };
}

test('a program that is done ends with 0', async () => {
  const { code, last } = await run(['--act=return']);
  assert.equal(code, 0);
  assert.match(last, /"message":"began","program":"sample"/);
});

test('faulty settings end with 2 and nothing on standard output', async () => {
  const { code, out, err } = await run(['--act=dance', '--port=10']);
  assert.deepEqual([code, out], [2, '']);
  assert.match(err, /--act "dance" is not one of return.*\n.*--port "10" is not a whole number/);
});

test('help ends with 0 and names the settings that every program has', async () => {
  const { code, out } = await run(['--help']);
  assert.equal(code, 0);
  assert.match(out, /--log-level\s+LOG_LEVEL\s+info/);
});

for (const [act, message, error] of [
  ['throw', 'failed', 'reading the plan: the disk is gone'],
  ['reject', 'crashed', 'forgotten: the disk is gone'],
  ['crash', 'crashed', 'out of the blue'],
]) {
  test(`a program that ${act}s ends with 1 after one line with the chain of causes`, async () => {
    const { code, out, last } = await run([`--act=${act}`]);
    assert.equal(code, 1);
    assert.equal(out.trim().split('\n').length, 2);
    const line = JSON.parse(last) as Record<string, unknown>;
    assert.deepEqual([line['level'], line['message'], line['error']], ['error', message, error]);
  });
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends what waits, and that is no failure`, async () => {
    const { code, out } = await run(['--act=wait'], signal);
    assert.equal(code, 0, out);
  });
}

test('a second signal ends at once a program that does not listen', async () => {
  const [term, int] = await Promise.all([
    run(['--act=ignore'], 'SIGTERM', 'SIGTERM'),
    run(['--act=ignore'], 'SIGINT', 'SIGINT'),
  ]);
  assert.deepEqual([term.code, int.code], [143, 130]);
});
