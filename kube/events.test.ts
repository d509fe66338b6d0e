import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLog } from '../daemon/log.ts';
import { FakeClock } from '../daemon/testing/fake-clock.ts';
import { firstEvent } from './event-fold.ts';
import { EventRecorder } from './events.ts';
import type { Event } from './object.ts';
import { object, service } from './testing/build.ts';
import { ApiError, type Call, type Transport } from './transport.ts';

/** Keeps Events as an API server does, or fails as told. */
class EventKeeper implements Transport {
  readonly stored = new Map<string, Event>();
  calls = 0;
  fault: Error | undefined;
  /** Thrown once, after the call has been carried out. */
  lostAnswer: Error | undefined;

  async call<T>(call: Call): Promise<T> {
    this.calls++;
    if (this.fault !== undefined) throw this.fault;
    if (call.method === 'POST') {
      const event = call.body as Event;
      const path = `${call.path}/${event.metadata.name}`;
      if (this.stored.has(path)) throw new ApiError(409, 'AlreadyExists', 'it is there');
      this.stored.set(path, event);
      const { lostAnswer } = this;
      this.lostAnswer = undefined;
      if (lostAnswer !== undefined) throw lostAnswer;
      return event as T;
    }
    const event = this.stored.get(call.path);
    if (event === undefined) throw new ApiError(404, 'NotFound', 'no such event');
    const patched = { ...event, ...(call.body as Partial<Event>) };
    this.stored.set(call.path, patched);
    return patched as T;
  }

  lines(): never {
    return assert.fail('events are not watched here');
  }

  close(): void {}

  /** What people see: reason, how often, when last. */
  get seen(): string[] {
    return [...this.stored.values()].map(
      ({ reason, count, lastTimestamp }) => `${reason} x${count} ${lastTimestamp?.slice(11)}`,
    );
  }
}

function open(transport = new EventKeeper(), clock = new FakeClock()) {
  const lines: string[] = [];
  const log = openLog('info', (line) => lines.push(line));
  const reporter = { component: 'mercury-operator', instance: 'operator-0' };
  const recorder = new EventRecorder({ transport, clock, log, ...reporter });
  return { transport, clock, lines, recorder };
}

const refused = { type: 'Warning', reason: 'PoolExhausted', message: 'no address left' } as const;

test('an event names its object, who saw it, and what happened', async () => {
  const { transport, clock, recorder } = open();
  recorder.record(service('web', { uid: 'u1', resourceVersion: '7' }), refused);
  await clock.advance(1_000);
  const [[path, event]] = [...transport.stored] as [[string, Event]];
  assert.match(path, /^\/api\/v1\/namespaces\/default\/events\/web\.[0-9a-f]{16}$/);
  const { metadata: _, ...said } = event;
  assert.deepEqual(said, {
    apiVersion: 'v1',
    kind: 'Event',
    involvedObject: {
      apiVersion: 'v1',
      kind: 'Service',
      name: 'web',
      namespace: 'default',
      uid: 'u1',
      resourceVersion: '7',
    },
    ...refused,
    count: 1,
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
    source: { component: 'mercury-operator', host: 'operator-0' },
    reportingComponent: 'mercury-operator',
    reportingInstance: 'operator-0',
  });
});

test('the same event again is counted, another reason or object is another event', async () => {
  const { transport, clock, recorder } = open();
  for (let i = 0; i < 5; i++) recorder.record(service('web'), refused);
  await clock.advance(60_000);
  recorder.record(service('web'), refused);
  recorder.record(service('web'), { ...refused, reason: 'AddressTaken' });
  recorder.record(service('dns'), refused);
  await clock.advance(1_000);
  assert.deepEqual(transport.seen, [
    'PoolExhausted x6 00:01:00Z',
    'AddressTaken x1 00:01:00Z',
    'PoolExhausted x1 00:01:00Z',
  ]);
});

test('a restarted process counts on, and an event that has vanished is made again', async () => {
  const { transport, clock, recorder } = open();
  recorder.record(service('web'), refused);
  await clock.advance(1_000);
  const second = open(transport, clock);
  second.recorder.record(service('web'), refused);
  await clock.advance(1_000);
  assert.deepEqual(transport.seen, ['PoolExhausted x2 00:00:01Z']);
  transport.stored.clear();
  second.recorder.record(service('web'), refused);
  await clock.advance(1_000);
  assert.deepEqual(transport.seen, ['PoolExhausted x1 00:00:02Z']);
});

test('a failing server is asked a few times, then the event is given up and the next tried', async () => {
  const { transport, clock, lines, recorder } = open();
  transport.fault = new Error('connection refused');
  recorder.record(service('web'), refused);
  recorder.record(service('dns'), refused);
  await clock.advance(20_000);
  assert.deepEqual([transport.calls, recorder.dropped], [6, 2]);
  assert.equal(lines.length, 1, 'said once');
  transport.fault = undefined;
  recorder.record(service('web'), refused);
  await clock.advance(1_000);
  assert.deepEqual(transport.seen, ['PoolExhausted x1 00:00:20Z']);
});

test('an event that was written is not counted again because the answer was lost', async () => {
  const { transport, clock, recorder } = open();
  transport.lostAnswer = new Error('the connection was reset');
  recorder.record(service('web'), refused);
  await clock.advance(10_000);
  assert.deepEqual(transport.seen, ['PoolExhausted x1 00:00:00Z']);
  recorder.record(service('web'), refused);
  await clock.advance(10_000);
  assert.deepEqual(transport.seen, ['PoolExhausted x2 00:00:10Z']);
});

test('what the server forbids is not asked again', async () => {
  const { transport, clock, recorder } = open();
  transport.fault = new ApiError(403, 'Forbidden', 'the namespace is being terminated');
  recorder.record(service('web'), refused);
  await clock.advance(20_000);
  assert.deepEqual([transport.calls, recorder.dropped], [1, 1]);
});

test('a flood is slowed down, bounded, and loses its oldest', async () => {
  const { transport, clock, recorder } = open();
  for (let i = 0; i < 1_501; i++) recorder.record(service(`s${i}`), refused);
  await clock.advance(1_000);
  assert(transport.calls <= 11, `${transport.calls} calls in a second`);
  assert.equal(recorder.dropped, 500);
  const names = [...transport.stored.keys()].map((path) => /s\d+/.exec(path.slice(30))?.[0]);
  assert.equal(names[1], 's501', 'the first was already on its way');
});

test('closing writes what is recorded, and gives up what takes too long', async () => {
  const { transport, clock, recorder } = open();
  recorder.record(service('web'), refused);
  const closed = recorder.close(new AbortController().signal);
  await clock.advance(1_000);
  await closed;
  assert.equal(transport.seen.length, 1);
  const late = open();
  late.transport.fault = new Error('connection refused');
  for (const name of ['web', 'dns', 'ntp']) late.recorder.record(service(name), refused);
  const stop = new AbortController();
  const given = late.recorder.close(stop.signal);
  await late.clock.advance(500);
  stop.abort();
  await given;
  const { calls } = late.transport;
  late.recorder.record(service('web'), refused);
  await late.clock.advance(20_000);
  assert.equal(late.transport.calls, calls, 'nothing is asked any more');
  assert.equal(late.clock.sleeping, 0, 'nothing waits any more');
});

test('names and messages stay within what the API server takes', () => {
  const about = object('v1', 'Node', 'n'.repeat(253));
  const reporter = { component: 'c', instance: 'i' };
  const event = firstEvent(
    about,
    { ...refused, message: 'ä'.repeat(2_000) },
    reporter,
    new Date(0),
  );
  assert(event.metadata.name.length <= 253);
  assert.equal(event.metadata.namespace, 'default');
  assert(Buffer.byteLength(event.message) <= 1_024, String(Buffer.byteLength(event.message)));
  assert.match(event.message, /^ä+…$/);
});
