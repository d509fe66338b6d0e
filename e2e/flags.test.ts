/** Proves that a program started with bad flags says everything that is wrong at once, and leaves with 2. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { outcomeOf } from './lab/command.ts';
import { fromRoot } from './lab/programs.ts';

const start = (main: string, args: readonly string[]) =>
  outcomeOf(process.execPath, [fromRoot(main), ...args]);

for (const main of ['operator/main.ts', 'speaker/main.ts']) {
  describe(main, () => {
    test('every bad flag is named in one go, and the exit code is 2', async () => {
      const faulty = ['--metrics-port', 'ninety', '--log-level', 'loud', '--no-such-flag', '7'];
      const { code, stdout, stderr } = await start(main, faulty);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, '');
      for (const fault of ['metrics-port', 'log-level', 'no-such-flag']) {
        assert.match(stderr, new RegExp(`--${fault}`));
      }
      assert.doesNotMatch(stderr, /\n\s+at /, 'a stack is no message');
    });

    test('--help lists the flags, and the exit code is 0', async () => {
      const { code, stdout, stderr } = await start(main, ['--help']);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /--metrics-port/);
    });
  });
}
