import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { splitLines } from './lines.ts';

async function* inChunks(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  let start = 0;
  for (const end of [...places, bytes.length]) {
    yield bytes.subarray(start, end);
    start = end;
  }
}

test('the same lines come out wherever the chunks end, inside characters too', async () => {
  const line = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text.trim() === text);
  const clean = line.filter((text) => !/[\n\r]/.test(text) && text.isWellFormed());
  await fc.assert(
    fc.asyncProperty(fc.array(clean), fc.array(fc.nat()), async (lines, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
      const out: string[] = [];
      for await (const one of splitLines(inChunks(bytes, cuts), 10_000)) out.push(one);
      assert.deepEqual(out, lines);
    }),
  );
});

test('an end inside a line is an error, after the whole lines before it', async () => {
  const lines = splitLines(inChunks(Buffer.from('{"a":1}\n{"b"'), []), 100);
  assert.equal((await lines.next()).value, '{"a":1}');
  await assert.rejects(lines.next(), /ended 4 bytes into a line/);
});

test('a line is never held longer than the bound, ended or not', async () => {
  for (const text of ['x'.repeat(11), `${'x'.repeat(11)}\n`, `${'x'.repeat(9)}${'x'.repeat(9)}`]) {
    const lines = splitLines(inChunks(Buffer.from(text), [9]), 10);
    await assert.rejects(lines.next(), /longer than 10 bytes/);
  }
});
