import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSettings } from '../daemon/settings.ts';
import { assertSettingsDocumented } from '../daemon/testing/documented.ts';
import { settingsTable } from './settings.ts';

const read = (...flags: readonly string[]) =>
  readSettings('speaker', settingsTable, ['--node-name=node-1', ...flags], {});

test('nothing is checked unless a setting says so', () => {
  const reading = read();
  assert.ok(reading.kind === 'settings');
  assert.equal(reading.values.checkKubeProxy, undefined);
  assert.equal(reading.values.checkGateway, false);
});

test('kube-proxy is asked at a URL without TLS, and at nothing else', () => {
  const url = 'http://127.0.0.1:10256/healthz';
  const reading = read(`--check-kube-proxy=${url}`);
  assert.ok(reading.kind === 'settings');
  assert.equal(reading.values.checkKubeProxy, url);
  for (const said of ['10256', 'https://127.0.0.1:10256/healthz', '127.0.0.1:10256']) {
    const refused = read(`--check-kube-proxy=${said}`);
    assert.ok(refused.kind === 'faults', said);
    assert.ok(refused.text.includes(`--check-kube-proxy "${said}" is not a URL such as ${url}`));
  }
});

test('the page of settings has every one of the speaker, as --help says it', () => {
  assertSettingsDocumented('Speaker', settingsTable);
});
