/** Prints the neighbour table of the host it runs on, one JSON line per entry, as `arp-a` reads it. */
import { table } from 'arp-a';

table((error, entry) => {
  if (error !== null) throw new Error('reading the neighbour table', { cause: error });
  // Zeros: the kernel asks and has no answer yet.
  if (entry === null || entry.mac === '00:00:00:00:00:00') return;
  process.stdout.write(`${JSON.stringify({ address: entry.ip, mac: entry.mac })}\n`);
});
