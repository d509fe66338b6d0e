import { execFile, spawnSync } from 'node:child_process';

export type Outcome = {
  /** The exit code; undefined when a signal ended it. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
};

export type RunOptions = {
  readonly input?: string;
  /** Ended with SIGKILL after this long. */
  readonly timeoutMs?: number;
};

const usualTimeoutMs = 20_000;

/** Runs a command to its end and hands back how it ended; throws only when it cannot be started. */
export function outcomeOf(
  file: string,
  args: readonly string[],
  { input, timeoutMs = usualTimeoutMs }: RunOptions = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const limits = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 16 << 20 } as const;
    const child = execFile(file, args, limits, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr });
      else if (typeof error.code === 'string')
        reject(new Error(`starting ${file}`, { cause: error }));
      else resolve({ code: error.code ?? undefined, stdout, stderr });
    });
    // A command that leaves without reading its input must not end us with EPIPE.
    child.stdin?.on('error', () => {}).end(input);
  });
}

/** Runs a command that has to succeed; answers what it printed. */
export async function run(
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const outcome = await outcomeOf(file, args, options);
  if (outcome.code === 0) return outcome.stdout;
  throw failure([file, ...args], outcome);
}

/** The same, before the next statement: for a power cut, and for cleaning up while exiting. */
export function runNow(file: string, args: readonly string[], input?: string): string {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    encoding: 'utf8',
    timeout: usualTimeoutMs,
    ...(input === undefined ? {} : { input }),
  });
  if (error !== undefined) throw new Error(`starting ${file}`, { cause: error });
  if (status === 0) return stdout;
  throw failure([file, ...args], { code: status ?? undefined, stdout, stderr });
}

function failure(command: readonly string[], { code, stdout, stderr }: Outcome): Error {
  const said = (stderr.trim() || stdout.trim()).slice(-2000);
  const how = code === undefined ? 'was ended' : `ended with code ${code}`;
  return new Error(`\`${command.join(' ')}\` ${how}${said === '' ? '' : `: ${said}`}`);
}
