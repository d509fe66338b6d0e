import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replaceFindings } from './document.ts';

const marked = (between: string): string =>
  `before\n<!-- make bench-announce: begin -->${between}<!-- make bench-announce: end -->\nafter\n`;

test('what stands between the marks is replaced, and nothing else', () => {
  assert.equal(replaceFindings(marked('\n\nold\n\n'), 'new'), marked('\n\nnew\n\n'));
});

test('a document without the marks, or with one of them, is refused', () => {
  assert.throws(() => replaceFindings('nothing of it', 'new'), /once/);
  assert.throws(() => replaceFindings(marked('').replace('end', 'fin'), 'new'), /once/);
});
