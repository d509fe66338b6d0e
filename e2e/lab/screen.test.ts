import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { test } from 'node:test';
import { Screen } from './screen.ts';

/** Keeps what is written to it. */
function terminal(rows: number, columns: number) {
  const written: string[] = [];
  return { isTTY: true, rows, columns, written, write: (text: string) => written.push(text) };
}

test('what stood on the terminal comes back at the end, once', () => {
  const out = terminal(24, 80);
  const screen = new Screen(out);
  assert(out.written[0]?.startsWith('\u001B[?1049h'));
  screen[Symbol.dispose]();
  screen[Symbol.dispose]();
  assert.equal(out.written.join('').split('\u001B[?1049l').length - 1, 1);
});

test('a drawing never scrolls: no more lines and columns than the terminal has', () => {
  const out = terminal(3, 5);
  using screen = new Screen(out);
  screen.draw(['1234567', '12345', '', 'hidden']);
  assert.equal(stripVTControlCharacters(out.written.at(-1) ?? ''), '1234…\r\n12345\r\n');
});

test('the same is drawn again only when the terminal has another size', () => {
  const out = terminal(3, 80);
  using screen = new Screen(out);
  screen.draw(['a']);
  const drawn = out.written.length;
  screen.draw(['a']);
  assert.equal(out.written.length, drawn);
  out.columns = 40;
  screen.draw(['a']);
  assert.equal(out.written.length, drawn + 1);
});
