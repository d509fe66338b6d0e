import { readVariables, type Said, type Variables } from '../lab/variables.ts';

/** What was said to a bench, by the name of its command; ends the process where that is faulty. */
export function begin<const V extends Variables>(command: string, variables: V): Said<V> {
  const reading = readVariables(variables);
  if (reading.kind === 'said') return reading.said;
  const faults = reading.faults.map((fault) => `  ${fault}\n`).join('');
  process.stderr.write(`${command} cannot start:\n${faults}`);
  process.exit(2);
}

/** The hosts of a lab are removed on every way out of this process: that an interrupt is one. */
export function leaveOnInterrupt(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
}
