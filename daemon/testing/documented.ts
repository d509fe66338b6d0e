import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Metrics } from '../metrics.ts';
import { programSettings } from '../program.ts';
import { describeAll, type Table } from '../settings.ts';

/** Holds the table under this heading of docs/metrics.md to what a program exposes, word by word. */
export function assertMetricsDocumented(heading: string, { declared }: Metrics): void {
  const expected = declared.map(({ name, type, labels = [], help }) =>
    row([code(name), type, labels.map(code).join(', '), help]),
  );
  assert.deepEqual(rowsUnder(heading, 'metrics').toSorted(), expected.toSorted());
}

/** Holds the table under this heading of docs/settings.md to what a program can be told, word by word. */
export function assertSettingsDocumented(heading: string, table: Table): void {
  const expected = describeAll({ ...table, ...programSettings }).map(
    ([flag, env, fallback, help]) => {
      const isValue = fallback !== '' && fallback !== 'required';
      return row([
        code(flag),
        env === '' ? '' : code(env),
        isValue ? code(fallback) : fallback,
        help,
      ]);
    },
  );
  assert.deepEqual(rowsUnder(heading, 'settings'), expected);
}

const code = (text: string): string => `\`${text}\``;

/** Tables are compared without the blanks that make their columns. */
const row = (cells: readonly string[]): string => squeeze(`| ${cells.join(' | ')} |`);

const squeeze = (line: string): string => line.replaceAll(/ +/g, ' ');

function rowsUnder(heading: string, page: 'metrics' | 'settings'): readonly string[] {
  const text = readFileSync(new URL(`../../docs/${page}.md`, import.meta.url), 'utf8');
  const section = text.split(/^## /m).find((each) => each.startsWith(`${heading}\n`)) ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map(squeeze);
}
