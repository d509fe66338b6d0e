import { levels, openLog, type Log } from './log.ts';
import { oneOf, readSettings, type Setting, type Table, type Values } from './settings.ts';
import { isShutdown, shutdownSignal } from './shutdown.ts';

/** What every program can be told. */
export const programSettings = {
  logLevel: {
    env: 'LOG_LEVEL',
    fallback: 'info',
    parse: oneOf(...levels),
    help: 'how much is logged: debug, info, warn or error',
  } satisfies Setting<(typeof levels)[number]>,
};

export type Surroundings = {
  readonly log: Log;
  /** Aborted by SIGTERM or SIGINT: end cleanly, then return. */
  readonly signal: AbortSignal;
};

/**
 * Runs a program from its settings to its exit code; the one place that ends the process. `--help` prints the
 * table and ends with 0, faulty settings with 2, whatever `main` throws with 1. Returning, or failing only because
 * it was told to stop, is 0.
 */
export async function runProgram<const S extends Table>(
  name: string,
  table: S,
  main: (settings: Values<S & typeof programSettings>, surroundings: Surroundings) => Promise<void>,
): Promise<never> {
  const reading = readSettings<S & typeof programSettings>(name, { ...table, ...programSettings });
  switch (reading.kind) {
    case 'help':
      process.stdout.write(reading.text);
      return exit(0);
    case 'faults':
      process.stderr.write(reading.text);
      return exit(2);
    case 'settings':
      return exit(await outcome(name, reading.values, main));
  }
}

async function outcome<V extends Values<typeof programSettings>>(
  name: string,
  settings: V,
  main: (settings: V, surroundings: Surroundings) => Promise<void>,
): Promise<number> {
  const log = openLog(settings.logLevel).with({ program: name });
  const crash = (error: unknown) => {
    log.error('crashed', { error });
    void exit(1);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  const signal = shutdownSignal();
  try {
    await main(settings, { log, signal });
    return 0;
  } catch (error) {
    if (signal.aborted && isShutdown(error)) return 0;
    log.error('failed', { error });
    return 1;
  }
}

/** Ends the process once what was written has left it. */
async function exit(code: number): Promise<never> {
  await Promise.all([process.stdout, process.stderr].map(flushed));
  return process.exit(code);
}

async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  // Where nobody reads any more, there is nothing to wait for.
  stream.once('error', () => resolve());
  stream.write('', () => resolve());
  await promise;
}
