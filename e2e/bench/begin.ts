import { readSettings, type Table, type Values } from '../../daemon/settings.ts';

/** The settings of a bench; ends the process where they are faulty, or only asked for. */
export function begin<const S extends Table>(program: string, table: S): Values<S> {
  const reading = readSettings(program, table);
  if (reading.kind === 'settings') return reading.values;
  process.stderr.write(reading.text);
  process.exit(reading.kind === 'help' ? 0 : 2);
}

/** The hosts of a lab are removed on every way out of this process: that an interrupt is one. */
export function leaveOnInterrupt(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
}
