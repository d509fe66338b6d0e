/** Prints the neighbour table of the host it runs on, one JSON line per entry, as `arp-a` reads it. */
import { createRequire } from 'node:module';

type Entry = { readonly ip: string; readonly mac: string; readonly iface: string };
/** The package has no types of its own: a row at a time, and null after the last one. */
type ArpA = { table(row: (error: Error | null, entry: Entry | null) => void): void };

const arpA = createRequire(import.meta.url)('arp-a') as ArpA;

arpA.table((error, entry) => {
  if (error !== null) throw new Error('reading the neighbour table', { cause: error });
  // Zeros: the kernel asks and has no answer yet.
  if (entry === null || entry.mac === '00:00:00:00:00:00') return;
  process.stdout.write(`${JSON.stringify({ address: entry.ip, mac: entry.mac })}\n`);
});
