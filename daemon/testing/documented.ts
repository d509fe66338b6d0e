import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Metrics } from '../metrics.ts';

/** Holds the table under this heading of docs/metrics.md to what a program exposes, word by word. */
export function assertDocumented(heading: string, { declared }: Metrics): void {
  const text = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  const section = text.split(/^## /m).find((each) => each.startsWith(`${heading}\n`)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  const expected = declared.map(({ name, type, labels = [], help }) => {
    const labelled = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${labelled} | ${help} |`.replaceAll('  ', ' ');
  });
  const squeezed = rows.map((row) => row.replaceAll(/ +/g, ' '));
  assert.deepEqual(squeezed.toSorted(), expected.toSorted());
}
