import assert from 'node:assert/strict';
import { test } from 'node:test';
import { percentilesOf } from '../../lab/percentiles.ts';
import type { PlannedMove } from '../../lab/failover.ts';
import { latencyOf } from './answers.ts';
import { type Findings, formatFindings, linesOf } from './report.ts';

const move = (one: Partial<PlannedMove> = {}): PlannedMove => ({
  from: 'node-1',
  to: 'node-2',
  blackoutMs: 5,
  connections: 40,
  cut: 0,
  failed: [],
  ...one,
});

const latency = (us: number) => ({
  asked: 3,
  lost: 0,
  arrived: percentilesOf([us]),
  read: percentilesOf([us + 10]),
});
const paced = { seconds: 2, asked: 100_000, answered: 100_000, overflowed: 0 };
const answers = {
  responder: 'packet',
  protocol: 'ARP',
  speaker: latency(30),
  kernel: latency(20),
  storm: { speaker: paced, kernel: paced },
  quietCpu: 1,
  foreignCpu: 1.2,
  foreign: paced,
} as const;

/** A run that reached everything, but for what the test says. */
const run = ({
  blackouts = {},
  ...others
}: Partial<Omit<Findings, 'blackouts'>> & {
  readonly blackouts?: Partial<Findings['blackouts']>;
} = {}): Findings => ({
  machine: 'a machine',
  load: { least: 1, most: 2 },
  blackouts: {
    calm: [3],
    powerCut: [250],
    carrierLoss: [250],
    kill: [250],
    plannedMoves: [move()],
    restarts: [move()],
    ...blackouts,
  },
  secondCarrierLoss: [25],
  keepalived: [],
  answers: [answers],
  memory: [],
  ...others,
});

const missed = (findings: Findings): readonly string[] =>
  linesOf(findings).flatMap(({ what, verdict }) => (verdict === 'MISSED' ? what : []));

test('a run that reaches its targets misses none', () => {
  assert.deepEqual(missed(run()), []);
});

test('a blackout is judged by its median and its tail', () => {
  assert.deepEqual(missed(run({ blackouts: { powerCut: [250, 310, 320] } })), [
    'power cut of the holder',
  ]);
  assert.deepEqual(missed(run({ blackouts: { carrierLoss: [250, 260, 401] } })), [
    'carrier loss of its only link',
  ]);
  assert.deepEqual(missed(run({ secondCarrierLoss: [20, 51, 60] })), [
    'the same where it has another link',
  ]);
});

test('one planned move that is felt is one too many', () => {
  const restarts = [move(), move({ blackoutMs: 21 }), move({ failed: ['ECONNREFUSED'] })];
  assert.equal(missed(run({ blackouts: { restarts } })).length, 2);
});

test('one lost answer is one too many, unless it was lost by who asked', () => {
  const lost = { ...paced, answered: 99_999 };
  const storm = (speaker: typeof paced) =>
    run({ answers: [{ ...answers, storm: { speaker, kernel: paced } }] });
  assert.equal(missed(storm(lost)).length, 1);
  assert.equal(missed(storm({ ...lost, overflowed: 1 })).length, 0);
});

test('none lost of fewer questions than were wanted is not said to reach the target', () => {
  const storm = { speaker: { ...paced, seconds: 4 }, kernel: paced };
  const lines = linesOf(run({ answers: [{ ...answers, storm }] }));
  assert.deepEqual(
    lines.filter(({ target }) => target === '0').map(({ verdict }) => verdict),
    ['reached', 'reached', 'not asked'],
  );
});

test('memory is judged by how many Services there are', () => {
  const memory = [10, 10_000].map((services) => ({
    services,
    addresses: 10,
    cpuSeconds: 1,
    residentMb: 100,
    peakMb: 120,
  }));
  assert.deepEqual(missed(run({ memory })), ['10 Services on 10 addresses']);
});

test('what could not be measured is said with why, and is no miss', () => {
  const unmeasured = 'there is no cc';
  const without = run({ answers: [{ unmeasured }], blackouts: { kill: { unmeasured } } });
  assert.deepEqual(missed(without), []);
  assert.equal(formatFindings(without).split(unmeasured).length, 3);
});

test('questions without an answer are counted, and are no figure', () => {
  const turns = [
    { address: 'a', arrivedUs: 10, readUs: 20 },
    { address: 'a' },
    { address: 'b', arrivedUs: 90, readUs: 99 },
  ];
  const { asked, lost, arrived } = latencyOf(turns, 'a');
  assert.deepEqual([asked, lost, arrived.max], [2, 1, 10]);
});
