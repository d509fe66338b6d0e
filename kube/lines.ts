const newline = 0x0a;

/**
 * Cuts a stream of bytes into lines, wherever its chunks begin and end. Lines are decoded whole, so that a chunk
 * may end inside a character. Empty lines are left out. Throws on a line longer than `maxBytes`, and where the
 * stream ends inside one: half an object must never pass for news.
 */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<string, void, undefined> {
  let pieces: Uint8Array[] = [];
  let held = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      pieces.push(chunk.subarray(start, end));
      if (held + end - start > maxBytes) throw tooLong(maxBytes);
      const line = Buffer.concat(pieces).toString('utf8').trim();
      pieces = [];
      held = 0;
      start = end + 1;
      if (line !== '') yield line;
    }
    if (start === chunk.length) continue;
    pieces.push(chunk.subarray(start));
    held += chunk.length - start;
    if (held > maxBytes) throw tooLong(maxBytes);
  }
  if (held > 0) throw new Error(`the stream ended ${held} bytes into a line`);
}

function tooLong(maxBytes: number): Error {
  return new Error(`a line is longer than ${maxBytes} bytes`);
}
