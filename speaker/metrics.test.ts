import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertMetricsDocumented } from '../daemon/testing/documented.ts';
import { answerBounds, AnswerTimes } from './answer-times.ts';
import { Holdings } from './holdings.ts';
import { SpeakerMetrics } from './metrics.ts';
import type { LinkCounts } from './orders.ts';
import { held } from './testing/held.ts';
import { planOf } from './testing/plan.ts';

const address = '198.51.100.1';

const noCounts: LinkCounts = {
  link: 'eth0',
  peers: 0,
  held: 0,
  questions: 0,
  answers: 0,
  kernelAnswers: 0,
  announcements: 0,
  refused: 0,
  pulsesLost: 0,
  doubledOwners: 0,
  witnessed: 0,
  foreignClaims: 0,
  quarantined: 0,
};

function open() {
  const holdings = new Holdings();
  const events = { written: 0, dropped: 0 };
  const speaker = new SpeakerMetrics({ node: 'node-1', holdings, events, hasPlan: () => true });
  return {
    holdings,
    speaker,
    events,
    /** Every one of these lines is exposed. */
    exposes: async (...lines: readonly string[]) => {
      const text = await speaker.metrics.expose();
      for (const line of lines) assert.ok(text.includes(`${line}\n`), `${line} in\n${text}`);
    },
  };
}

describe('the metrics of a speaker', () => {
  test('are those of docs/metrics.md', () => {
    assertMetricsDocumented('The speaker', open().speaker.metrics);
  });

  test('tell the stages of a takeover apart', async () => {
    const { speaker, exposes } = open();
    speaker.note(held({ reason: 'HolderDied', from: 'node-2', silentMs: 290, decisionMs: 0 }));
    speaker.note(held({ reason: 'HandedOver', from: 'node-2' }));
    await exposes(
      'mercurylb_takeover_seconds_bucket{le="0.25",stage="detection"} 0',
      'mercurylb_takeover_seconds_bucket{le="0.3",stage="detection"} 1',
      'mercurylb_takeover_seconds_count{stage="detection"} 1',
      'mercurylb_takeover_seconds_bucket{le="0.001",stage="decision"} 1',
      'mercurylb_takeover_seconds_count{stage="first_frame"} 2',
    );
  });

  test('count moves both ways, by their reason', async () => {
    const { speaker, exposes } = open();
    speaker.note(held({ reason: 'HolderDied' }));
    speaker.note({ kind: 'yielded', link: 'eth0', address, reason: 'BetterClaim' });
    await exposes(
      'mercurylb_addresses_taken_total{reason="HolderDied"} 1',
      'mercurylb_addresses_yielded_total{reason="BetterClaim"} 1',
    );
  });

  test('have what the links counted, as it was told last, and no link that is gone', async () => {
    const { speaker, exposes } = open();
    const answerTimes = new AnswerTimes().counts();
    const seen = { ...noCounts, questions: 5, answers: 4, peers: 2, pulsesLost: 7 };
    speaker.note({ kind: 'counts', counts: [seen, { ...seen, link: 'eth1' }], answerTimes });
    await exposes('metallb_layer2_requests_received{link="eth1"} 5');
    const later = { ...seen, questions: 6, doubledOwners: 1 };
    speaker.note({ kind: 'counts', counts: [later], answerTimes });
    await exposes(
      'metallb_layer2_requests_received{link="eth0"} 6',
      'metallb_layer2_responses_sent{link="eth0"} 4',
      'mercurylb_peers{link="eth0"} 2',
      'mercurylb_pulses_lost_total{link="eth0"} 7',
      'mercurylb_doubled_owners_total{link="eth0"} 1',
    );
    assert.ok(!(await speaker.metrics.expose()).includes('eth1'));
  });

  test('have the time that answers took', async () => {
    const { speaker, exposes } = open();
    const times = new AnswerTimes();
    times.note(3, 0.05);
    times.note(2, 1.5);
    times.note(1, 5_000);
    speaker.note({ kind: 'counts', counts: [], answerTimes: times.counts() });
    await exposes(
      `mercurylb_answer_seconds_bucket{le="${answerBounds[0]}"} 3`,
      'mercurylb_answer_seconds_bucket{le="0.002"} 5',
      'mercurylb_answer_seconds_bucket{le="1"} 5',
      'mercurylb_answer_seconds_bucket{le="+Inf"} 6',
      'mercurylb_answer_seconds_count 6',
    );
  });

  test('name each Service of an address that is held', async () => {
    const { holdings, exposes } = open();
    holdings.adopt(planOf({ [address]: ['default/web'] }));
    holdings.note(held(), new Date(0));
    await exposes(
      `metallb_speaker_announced{service="default/web",protocol="layer2",node="node-1",ip="${address}"} 1`,
    );
  });

  test('count what was asked of the API server', async () => {
    const { speaker, events, exposes } = open();
    speaker.noteCall('PATCH', 'Answered');
    speaker.noteLook('write');
    events.dropped = 2;
    await exposes(
      'mercurylb_api_calls_total{method="PATCH",outcome="Answered"} 1',
      'mercurylb_status_looks_total{outcome="write"} 1',
      'mercurylb_events_total{outcome="given_up"} 2',
    );
  });
});
