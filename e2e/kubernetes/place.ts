import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pid } from 'node:process';
import { type Outcome, outcomeOf, type RunOptions } from '../lab/command.ts';
import type { Host, Program, Running } from '../lab/host.ts';

/** Where a control plane runs: a host of the lab, or this machine's loopback. */
export type Place = Pick<Host, 'address' | 'install' | 'start' | 'outcomeOf' | 'logOf'>;

/**
 * This machine, at an address of 127.0.0.0/8 that no other process takes, so that the usual ports are free: one control
 * plane per process. Logs go into `folder`. What was started ends with this process, however that ends.
 */
export class Loopback implements Place {
  readonly address = `127.${64 + ((pid >> 16) & 0x3f)}.${(pid >> 8) & 0xff}.${pid & 0xff}`;
  readonly #folder: string;
  readonly #installed = new Map<string, Program>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  install(program: Program): Running {
    this.#installed.set(program.name, program);
    return this.start(program.name);
  }

  start(name: string): Running {
    const program = this.#installed.get(name);
    if (program === undefined) throw new Error(`${name} is not installed`);
    const log = openSync(this.#logPath(name), 'a');
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program.file, ...program.args], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    return running(name, child);
  }

  outcomeOf(file: string, args: readonly string[], options?: RunOptions): Promise<Outcome> {
    return outcomeOf(file, args, options);
  }

  logOf(name: string, lines: number): string {
    return readFileSync(this.#logPath(name), 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }

  #logPath(name: string): string {
    return join(this.#folder, `${name}.log`);
  }
}

function running(name: string, child: ChildProcess): Running {
  if (child.pid === undefined) throw new Error(`starting ${name} failed`);
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
  const ending = (): string =>
    child.exitCode === null ? `by ${child.signalCode}` : `with code ${child.exitCode}`;
  const exited = once(child, 'close').then(ending);
  const signal = (wanted: NodeJS.Signals): void => void child.kill(wanted);
  const stop = async (withinMs = 5_000): Promise<string> => {
    signal('SIGTERM');
    const killed = setTimeout(signal, withinMs, 'SIGKILL');
    const how = await exited;
    clearTimeout(killed);
    return how;
  };
  return { name, pid: child.pid, output: undefined, exited, isAlive, signal, stop };
}
