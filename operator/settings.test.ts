import { test } from 'node:test';
import { assertSettingsDocumented } from '../daemon/testing/documented.ts';
import { settingsTable } from './settings.ts';

test('the page of settings has every one of the operator, as --help says it', () => {
  assertSettingsDocumented('Operator', settingsTable);
});
