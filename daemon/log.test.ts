import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain, openLog, type Level } from './log.ts';

function open(level: Level) {
  const lines: Record<string, unknown>[] = [];
  const log = openLog(level, (line) => lines.push(JSON.parse(line) as Record<string, unknown>));
  return { log, lines };
}

test('a line is JSON: when, how grave, what, and the fields of the log and of the line', () => {
  const { log, lines } = open('info');
  log
    .with({ node: 'a' })
    .with({ link: 'eth0' })
    .info('took over', { term: 2n ** 64n });
  const [{ time, ...rest } = {}] = lines;
  assert.match(String(time), /^\d{4}-\d\d-\d\dT/);
  assert.deepEqual(rest, {
    level: 'info',
    message: 'took over',
    node: 'a',
    link: 'eth0',
    term: '18446744073709551616',
  });
});

test('a line below the level is not written', () => {
  const { log, lines } = open('warn');
  log.debug('a');
  log.info('b');
  log.warn('c');
  log.error('d');
  assert.deepEqual(
    lines.map((line) => line['message']),
    ['c', 'd'],
  );
});

test('an error is told with everything that led to it', () => {
  const error = new Error('writing the status', { cause: new Error('PUT /x', { cause: 'reset' }) });
  assert.equal(explain(error), 'writing the status: PUT /x: reset');
  const { log, lines } = open('info');
  log.error('failed', { error });
  assert.equal(lines[0]?.['error'], explain(error));
});
