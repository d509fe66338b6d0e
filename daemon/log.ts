/** The message is a constant; what varies is a field. */
export type Fields = Readonly<Record<string, unknown>>;
export type Level = 'debug' | 'info' | 'warn' | 'error';
export const levels: readonly Level[] = ['debug', 'info', 'warn', 'error'];

export type Log = {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** The same log with these fields on every line. */
  with(fields: Fields): Log;
};

/** One JSON line each on standard output: time, level, message, then the fields. */
export function openLog(
  level: Level,
  write: (line: string) => void = (line) => console.log(line),
  fixed: Fields = {},
): Log {
  const line =
    (at: Level) =>
    (message: string, fields: Fields = {}) => {
      if (levels.indexOf(at) < levels.indexOf(level)) return;
      const time = new Date().toISOString();
      write(JSON.stringify({ time, level: at, message, ...fixed, ...fields }, plain));
    };
  return {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    with: (fields) => openLog(level, write, { ...fixed, ...fields }),
  };
}

/** Errors print with their whole chain of causes, bigints as decimal text. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Error ? explain(value) : value;
}

/** `doing this: because of that: because of the other`. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${explain(error.cause)}`;
}

/** For tests and for parts that have nothing to say. */
export const silentLog: Log = openLog('error', () => {});
