import assert from 'node:assert/strict';
import { test } from 'node:test';
import { perSecond, spanOf, summarize } from './audit.ts';

/** A line of an audit log, of which a test says what matters to it. */
const line = ({
  user = 'operator',
  verb = 'patch',
  resource = 'services',
  subresource = 'status',
  stage = 'ResponseComplete',
  code = 200,
  fromMs = 0,
  untilMs = 0,
}): string =>
  JSON.stringify({
    stage,
    verb,
    user: { username: user },
    objectRef: { resource, ...(subresource === '' ? {} : { subresource }) },
    responseStatus: { code },
    requestReceivedTimestamp: new Date(fromMs).toISOString(),
    stageTimestamp: new Date(untilMs).toISOString(),
  });

const log = (...lines: readonly string[]): string => `${lines.join('\n')}\n`;

test('requests are counted by what was asked, of one user alone', () => {
  const written = log(
    line({}),
    line({}),
    line({ user: 'another' }),
    line({ verb: 'create', resource: 'events', subresource: '', code: 201 }),
  );
  const counts = Array.from(summarize(written, 'operator'), ([name, { count }]) => [name, count]);
  assert.deepEqual(counts, [
    ['patch services/status', 2],
    ['create events', 1],
  ]);
});

test('a request that was refused is counted apart', () => {
  const requests = summarize(log(line({}), line({ code: 409 })), 'operator');
  assert.deepEqual([...requests.keys()], ['patch services/status', 'patch services/status 409']);
});

test('a watch counts when it begins, and not once more when it ends', () => {
  const watch = { verb: 'watch', subresource: '' };
  const written = log(line({ ...watch, stage: 'ResponseStarted' }), line(watch));
  assert.equal(spanOf(summarize(written, 'operator'), 'watch services').count, 1);
});

test('the rate is from the arrival of the first to the answer of the last, in whatever order they stand', () => {
  const written = log(
    line({ fromMs: 1_400, untilMs: 1_500 }),
    line({ fromMs: 1_000, untilMs: 1_450 }),
  );
  const span = spanOf(summarize(written, 'operator'), 'patch services/status');
  assert.deepEqual(span, { count: 2, firstMs: 1_000, lastMs: 1_500 });
  assert.equal(perSecond(span), 4);
});

test('a request that was never made is named', () => {
  assert.throws(() => spanOf(summarize('', 'operator'), 'create events'), /`create events`/);
});
