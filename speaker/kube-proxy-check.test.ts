import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { systemClock } from '../daemon/clock.ts';
import { until } from '../daemon/testing/until.ts';
import { checkKubeProxy } from './kube-proxy-check.ts';
import type { Diagnosis } from './orders.ts';

let server: Server;
let url: string;
let answer: number | 'nothing';
let diagnoses: Diagnosis[];
let stop: AbortController;
let checking: Promise<void>;

/** A clock that runs so much faster that a second takes a few milliseconds. */
const hurried = {
  ...systemClock,
  nowMs: () => systemClock.nowMs() * 100,
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 100, signal),
};

beforeEach(async () => {
  answer = 200;
  server = createServer((_request, response) => {
    if (answer !== 'nothing') response.writeHead(answer).end('{}');
  }).listen(0, '127.0.0.1');
  await until('the server listens', () => server.listening);
  url = `http://127.0.0.1:${portOf(server)}/healthz`;
  diagnoses = [];
  stop = new AbortController();
  const onChange = (diagnosis: Diagnosis) => diagnoses.push(diagnosis);
  checking = checkKubeProxy({ url, onChange, clock: hurried }, stop.signal);
});

afterEach(async () => {
  stop.abort();
  await assert.rejects(checking, { name: 'AbortError' });
  server.closeAllConnections();
  server.close();
});

const portOf = (listening: Server): number => (listening.address() as AddressInfo).port;
const becomes = (health: string): Promise<unknown> =>
  until(`it is ${health}`, () => diagnoses.at(-1)?.health === health);

test('kube-proxy that answers 200 is well', async () => {
  await becomes('well');
});

test('kube-proxy that answers 503 is sick, and after that mends', async () => {
  await becomes('well');
  answer = 503;
  await becomes('sick');
  assert.equal(diagnoses.at(-1)?.detail, 'it answers 503');
  answer = 200;
  await becomes('mending');
  await becomes('well');
});

test('kube-proxy that nobody can connect to is sick', async () => {
  await becomes('well');
  server.close();
  await becomes('sick');
  assert.match(diagnoses.at(-1)?.detail ?? '', /ECONNREFUSED/);
});

test('kube-proxy that accepts and answers nothing is sick', async () => {
  await becomes('well');
  answer = 'nothing';
  await becomes('sick');
  assert.equal(diagnoses.at(-1)?.detail, 'no answer within 1000 ms');
});
