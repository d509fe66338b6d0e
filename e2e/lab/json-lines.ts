import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** One call per line of a program of the lab; the caller names the shape that program prints. */
export function readJsonLines<T>(from: Readable, take: (line: T) => void): void {
  createInterface({ input: from }).on('line', (line) => {
    take(JSON.parse(line) as T);
  });
}
