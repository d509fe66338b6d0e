import { runProgram } from '../program.ts';
import { integerBetween, oneOf, type Table } from '../settings.ts';

/** A small program to be started and stopped by the tests of how programs start and stop. */
const table = {
  act: {
    parse: oneOf('return', 'throw', 'wait', 'ignore', 'reject', 'crash'),
    help: 'what it does',
  },
  port: { fallback: 1, parse: integerBetween(1, 9), help: 'a number' },
} satisfies Table;

await runProgram('sample', table, async ({ act }, { log, signal }) => {
  log.info('began');
  const never = Promise.withResolvers<void>();
  const beat = setInterval(() => {}, 60_000);
  signal.addEventListener('abort', () => log.info('was told to stop'));
  switch (act) {
    case 'return':
      break;
    case 'throw':
      throw new Error('reading the plan', { cause: new Error('the disk is gone') });
    case 'wait':
      signal.addEventListener('abort', () =>
        never.reject(new Error('waiting', { cause: signal.reason })),
      );
      await never.promise;
      break;
    case 'ignore':
      await never.promise;
      break;
    case 'reject':
      void Promise.reject(new Error('forgotten', { cause: new Error('the disk is gone') }));
      await never.promise;
      break;
    case 'crash':
      setImmediate(() => {
        throw new Error('out of the blue');
      });
      await never.promise;
      break;
  }
  clearInterval(beat);
});
