import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Message, claimsPerMessage } from './core/message.ts';
import { windowWidth } from './core/replay.ts';
import * as timing from './core/timing.ts';
import { contestEndsMs, tellEveryMs } from './contested.ts';
import { examsOfVerdict, examTiming, type Finding, questionsOf } from './exam.ts';
import { probeAgainMs, probesPerRound, silentRoundsToFree } from './probing.ts';
import { settingsTable } from './settings.ts';
import type { Rule } from './testing/rule.ts';
import { overheadBytes, seal } from './wire/envelope.ts';
import { etherTypes, speakersMac } from './wire/ethernet.ts';
import { formatMessage } from './wire/message.ts';
import { witnessPace } from './witness.ts';

const page = readFileSync(new URL('../docs/protocol.md', import.meta.url), 'utf8');

/** The rows of all tables of the page, cell by cell. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

const digest = { count: 0, sum: 0 };
const standing = { phase: 'active', health: 'well', intervalMs: 100, claims: digest } as const;
const bodies = [
  { kind: 'pulse', standing },
  { kind: 'ask', nonce: 1n },
  { kind: 'answer', nonce: 1n, standing },
  { kind: 'pull' },
  { kind: 'claims', version: 1, claims: [] },
  { kind: 'release', version: 1, claims: [] },
  { kind: 'handover', claims: [] },
  { kind: 'absent', nonce: 1n },
] as const satisfies readonly (Message extends infer M
  ? M extends Message
    ? Omit<M, 'node' | 'mac'>
    : never
  : never)[];

test('the page numbers the messages as the codec does', () => {
  const told = rows.flatMap(([kind, name]) =>
    bodies.some((body) => body.kind === name) ? [`${kind} ${name}`] : [],
  );
  const coded = bodies.map((body) => {
    const { kind } = formatMessage({ node: 'n', mac: '02:00:00:00:00:01', ...body });
    return `${kind} ${body.kind}`;
  });
  assert.deepEqual(told, coded);
});

test('the page places the parts of an envelope where the codec does', () => {
  const [boot, sequence] = [0x0102030405060708n, 0x1112131415161718n];
  const payload = Uint8Array.of(0xaa, 0xbb);
  const bytes = seal({ kind: 9, boot, sequence, payload }, new Uint8Array(32));
  const offsetOf = (what: string): number =>
    Number(rows.find(([, , told]) => told?.startsWith(what))?.[0]);
  const view = new DataView(bytes.buffer);
  assert.equal(Buffer.from(bytes.subarray(0, 2)).toString(), 'Hg');
  assert.equal(bytes[offsetOf('version')], 1);
  assert.equal(bytes[offsetOf('kind of')], 9);
  assert.equal(view.getUint16(offsetOf('length')), payload.length);
  assert.equal(view.getBigUint64(offsetOf('boot')), boot);
  assert.equal(view.getBigUint64(offsetOf('sequence')), sequence);
  assert.equal(bytes[offsetOf('the message')], 0xaa);
  assert.equal(overheadBytes, offsetOf('the message') + 16);
});

test('the page gives the numbers that the core goes by', () => {
  const told = new Map(rows.map(([name = '', ms]) => [name, Number(ms)]));
  const names = Object.keys(timing).filter((name) => told.has(name));
  assert.ok(names.length >= 16, `only ${names.length} of the numbers are told`);
  for (const [name, value] of Object.entries(timing)) {
    const ms = told.get(name);
    if (ms === undefined || name === 'pulseIntervalMs') continue;
    assert.equal(typeof value === 'function' ? value(100, 0) : value, ms, name);
  }
});

test('the page gives the numbers that a witness goes by', () => {
  const told = new Map(rows.map(([name = '', ms]) => [name, Number(ms)]));
  for (const [name, ms] of Object.entries(examTiming)) assert.equal(told.get(name), ms, name);
  const { askAddressAgainMs, answersWithinMs, repeatExamMs } = examTiming;
  const examMs = (repeat: number): number =>
    (questionsOf(repeat) - 1) * askAddressAgainMs + answersWithinMs;
  const exams = Array.from({ length: examsOfVerdict }, (_, repeat) => examMs(repeat));
  assert.ok(page.includes(`up to ${questionsOf(0)} times, ${questionsOf(1)} when the exam is`));
  assert.ok(page.includes(`exams of ${examMs(0) / 1000}, `));
  const { fallback: seconds } = settingsTable.witnessSeconds;
  const { jitter, questionsPerStep, stepMs } = witnessPace;
  const relievedMs =
    seconds * 1000 * (1 + jitter) +
    exams.reduce((sum, ms) => sum + ms, 0) +
    (examsOfVerdict - 1) * repeatExamMs;
  assert.ok(page.includes(`within ${Math.ceil(relievedMs / 1000)} s`), `${relievedMs} ms`);
  assert.ok(page.includes(`once\nin ${seconds} s`));
  assert.ok(page.includes(`${questionsPerStep} addresses in ${stepMs} ms`));
  const perRound = ((seconds * 1000) / stepMs) * questionsPerStep;
  assert.ok(page.includes(`more than ${perRound.toLocaleString('en')} to ask for`));
});

test('the page lists every finding of a witness', () => {
  const findings = {
    Right: true,
    Silent: true,
    Mismatch: true,
    Doubled: true,
    Uncertain: true,
  } satisfies Record<Finding, true>;
  const told = rows.flatMap(([name]) => (name !== undefined && name in findings ? [name] : []));
  assert.deepEqual(told, Object.keys(findings));
});

test('the page gives the numbers that the guard goes by', () => {
  const numbers = {
    probesPerRound,
    probeMs: settingsTable.probeMs.fallback,
    'probeAgainMs.least': probeAgainMs.least,
    'probeAgainMs.most': probeAgainMs.most,
    silentRoundsToFree,
    tellEveryMs,
    contestEndsMs,
  };
  const told = new Map(rows.map(([name = '', value]) => [name, Number(value)]));
  for (const [name, value] of Object.entries(numbers)) assert.equal(told.get(name), value, name);
  const round = probesPerRound * settingsTable.probeMs.fallback;
  const freeAfterMs = silentRoundsToFree * (probeAgainMs.most + round);
  assert.ok(page.includes(`${freeAfterMs / 1000} s at the latest`));
});

test('the page names the wire as it is', () => {
  assert.ok(page.includes(`\`0x${etherTypes.speaker.toString(16)}\``));
  assert.ok(page.includes(`\`${speakersMac}\``));
  assert.ok(page.includes(`port \`${settingsTable.pulsePort.fallback}\``));
  assert.ok(page.includes(`a window of ${windowWidth.toLocaleString('en')}`));
  assert.ok(page.includes(`At most ${claimsPerMessage} claims`));
});

test('the page lists every invariant that is judged', () => {
  const judged = {
    OneHolderAtRest: true,
    NoTwoHolders: true,
    NoNeedlessMove: true,
    QuickTakeover: true,
    NoGapInAMove: true,
    WellFirst: true,
    Spread: true,
    FewMessages: true,
  } satisfies Record<Rule, true>;
  const told = rows.flatMap(([, name]) => (name !== undefined && name in judged ? [name] : []));
  assert.deepEqual(told, Object.keys(judged));
});
