import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../daemon/log.ts';
import { FakeClock } from '../daemon/testing/fake-clock.ts';
import { service } from '../kube/testing/build.ts';
import { SpeakerMetrics } from './metrics.ts';
import type { Witnessed } from './orders.ts';
import { Publisher } from './publisher.ts';
import { held } from './testing/held.ts';
import { planOf } from './testing/plan.ts';

const address = '198.51.100.1';

/** A publisher where the Services `web` and `mail` exist, and the events that it recorded, as `reason Service`. */
function open() {
  const clock = new FakeClock();
  const told: string[] = [];
  const services = new Map(['web', 'mail'].map((name) => [`default/${name}`, service(name)]));
  const publisher = new Publisher({
    node: 'node-1',
    namespace: 'metallb-system',
    transport: {
      call: () => Promise.reject(new Error('there is no API server')),
      lines: () => assert.fail('nothing is watched'),
      close: () => {},
    },
    observer: {
      synced: () => Promise.resolve(),
      service: (key) => services.get(key),
      node: () => undefined,
    },
    events: {
      record: ({ metadata }, { reason }) => void told.push(`${reason} ${metadata.name}`),
    },
    metrics: new SpeakerMetrics(),
    clock,
    random: () => 0.5,
    log: silentLog,
  });
  return { publisher, told, clock };
}

const found = (finding: Witnessed['finding']): Witnessed => ({
  kind: 'witnessed',
  link: 'eth0',
  address,
  finding,
  holder: 'node-2',
  term: 1,
  others: [],
});

test('what a witness finds is told of every Service that has the address', () => {
  const { publisher, told } = open();
  publisher.adopt(planOf({ [address]: ['default/web', 'default/mail'] }), []);
  publisher.note(found('Silent'));
  publisher.note(found('Right'));
  assert.deepEqual(told, ['Silent web', 'Silent mail']);
});

test('of a Service that is not known, or not planned, nothing is told', () => {
  const { publisher, told } = open();
  publisher.adopt(planOf({ [address]: ['default/gone'] }), []);
  publisher.note(found('Silent'));
  assert.deepEqual(told, []);
});

test('an address that is taken is told as held, and of its Service once that has lasted', async () => {
  const { publisher, told, clock } = open();
  const stop = new AbortController();
  const running = publisher.run(stop.signal);
  publisher.adopt(planOf({ [address]: ['default/web'] }), []);
  publisher.note(held({ address }));
  assert.deepEqual(
    publisher.holdings.of('default/web').map(({ fact }) => fact.address),
    [address],
  );
  assert.deepEqual(told, []);
  await clock.advance(1_500);
  stop.abort();
  await running;
  assert.deepEqual(told, ['nodeAssigned web']);
});
