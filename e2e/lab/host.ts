import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { systemClock } from '../../daemon/clock.ts';
import type { Mac } from '../../net/mac.ts';
import { type Outcome, outcomeOf, run, type RunOptions, runNow } from './command.ts';
import { killGroup, type LabRecord, namespaceOf, recordProcess } from './record.ts';

/** A program as it is started on a host. */
export type Program = {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  /** Another network namespace than the host's: a Pod's. */
  readonly namespace?: string;
  /** Instead of what this process has. */
  readonly env?: Readonly<Record<string, string>>;
};

export type Running = {
  readonly name: string;
  readonly pid: number;
  /** Standard output, for programs that were started to be read. */
  readonly output: Readable | undefined;
  readonly exited: Promise<string>;
  readonly isAlive: () => boolean;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** SIGTERM, and SIGKILL for what has not left by then; answers how it ended. */
  readonly stop: (withinMs?: number) => Promise<string>;
};

/** One machine of the lab: a network namespace with one interface, `eth0`, and the processes in it. */
export class Host {
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  readonly address6: string;
  readonly mac: Mac;
  /** The namespace of the switch, where this host's port has the host's name. */
  readonly switchNamespace: string;
  readonly #record: LabRecord;
  readonly #running = new Map<string, Running>();
  /** What starts when the power comes (back). */
  readonly #installed = new Map<string, Program>();
  readonly #crashes: string[] = [];
  #powerlessSinceMs: number | undefined;

  constructor(
    record: LabRecord,
    who: { name: string; address: string; address6: string; mac: Mac },
  ) {
    this.name = who.name;
    this.address = who.address;
    this.address6 = who.address6;
    this.mac = who.mac;
    this.namespace = namespaceOf(record.lab, who.name);
    this.switchNamespace = namespaceOf(record.lab, 'switch');
    this.#record = record;
  }

  /** Undefined while it has power. */
  get powerlessSinceMs(): number | undefined {
    return this.#powerlessSinceMs;
  }

  /** Installed programs that ended although nobody ended them, with how. */
  get crashes(): readonly string[] {
    return this.#crashes;
  }

  /** Runs a command on this host that has to succeed; answers what it printed. */
  run(file: string, args: readonly string[], options?: RunOptions): Promise<string> {
    return run('ip', ['netns', 'exec', this.namespace, file, ...args], options);
  }

  outcomeOf(file: string, args: readonly string[], options?: RunOptions): Promise<Outcome> {
    return outcomeOf('ip', ['netns', 'exec', this.namespace, file, ...args], options);
  }

  /** Starts a program now and at every return of the power. */
  install(program: Program): Running {
    this.#installed.set(program.name, program);
    return this.#start(program, 'log');
  }

  /** Starts a program once and hands out what it prints. */
  spawn(program: Program): Running & { readonly output: Readable } {
    const running = this.#start(program, 'pipe');
    if (running.output === undefined) throw new Error(`no output of ${program.name}`);
    return { ...running, output: running.output };
  }

  isRunning(name: string): boolean {
    return this.#running.has(name);
  }

  running(name: string): Running {
    const running = this.#running.get(name);
    if (running === undefined) throw new Error(`${name} does not run on ${this.name}`);
    return running;
  }

  /** Starts an installed program that has ended; what runs (again) is left running. */
  start(name: string): Running {
    const program = this.installed(name);
    return this.#running.get(name) ?? this.#start(program, 'log');
  }

  /** What is started when the power comes back. */
  installed(name: string): Program {
    const program = this.#installed.get(name);
    if (program === undefined) throw new Error(`${name} is not installed on ${this.name}`);
    return program;
  }

  /** It is not started any more when the power comes back. */
  uninstall(name: string): void {
    this.#installed.delete(name);
  }

  /** The power is gone: off the wire first, so that nothing can say goodbye, then every process at once. */
  cutPower(): void {
    this.#powerlessSinceMs = systemClock.nowMs();
    runNow('ip', ['-n', this.switchNamespace, 'link', 'set', this.name, 'nomaster']);
    void this.killAll();
  }

  /** The power is back: an empty neighbour table, the wire, and what is installed. */
  async restorePower(): Promise<void> {
    await this.run('ip', ['neigh', 'flush', 'all']);
    await run('ip', ['-n', this.switchNamespace, 'link', 'set', this.name, 'master', 'lan']);
    this.#powerlessSinceMs = undefined;
    for (const program of this.#installed.values()) this.#start(program, 'log');
  }

  /** Every process of this host, at once; resolves when they are gone. */
  async killAll(): Promise<void> {
    const running = [...this.#running.values()];
    for (const { signal } of running) signal('SIGKILL');
    await Promise.all(running.map(({ exited }) => exited));
  }

  /** The last lines a program wrote, over all of its starts. */
  logOf(name: string, lines: number): string {
    return readFileSync(this.#logPath(name), 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }

  /** The last lines of every installed program that wrote any. */
  logs(lines: number): string {
    const names = [...this.#installed.keys()];
    const logs = names.map((name) => ({ name, log: this.logOf(name, lines) }));
    const written = logs.filter(({ log }) => log !== '');
    return written.map(({ name, log }) => `--- ${name} on ${this.name}\n${log}\n`).join('');
  }

  #logPath(name: string): string {
    return join(this.#record.folder, `${this.name}.${name}.log`);
  }

  #start({ name, file, args, namespace, env }: Program, to: 'log' | 'pipe'): Running {
    const log = openSync(this.#logPath(name), 'a');
    // setpriv: when this process is killed the kernel ends the program too. A process group of its
    // own: Ctrl-C in the terminal reaches the lab alone, which then ends things in order.
    const place = ['netns', 'exec', namespace ?? this.namespace];
    const child = spawn('ip', [...place, 'setpriv', '--pdeathsig', 'KILL', '--', file, ...args], {
      detached: true,
      env,
      stdio: ['ignore', to === 'log' ? log : 'pipe', log],
    });
    closeSync(log);
    const running = describe(name, child);
    recordProcess(this.#record, running.pid);
    this.#running.set(name, running);
    child.once('exit', (code, signal) => {
      if (this.#running.get(name) !== running) return;
      this.#running.delete(name);
      if (!asked.has(child))
        this.#crashes.push(`${name} on ${this.name} ended: ${ending(code, signal)}`);
    });
    return running;
  }
}

/** Children that were told to leave: their end is no crash. */
const asked = new WeakSet<ChildProcess>();

function describe(name: string, child: ChildProcess): Running {
  const { pid } = child;
  if (pid === undefined) throw new Error(`starting ${name} failed`);
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
  // 'close' comes after 'exit', when everything the program printed has been read.
  const exited = once(child, 'close').then(() => ending(child.exitCode, child.signalCode));
  const signal = (wanted: NodeJS.Signals): void => {
    if (wanted === 'SIGTERM' || wanted === 'SIGKILL') asked.add(child);
    if (isAlive()) killGroup(pid, wanted);
  };
  const stop = async (withinMs = 5_000): Promise<string> => {
    signal('SIGTERM');
    const killed = setTimeout(signal, withinMs, 'SIGKILL');
    const how = await exited;
    clearTimeout(killed);
    return how;
  };
  return { name, pid, output: child.stdout ?? undefined, exited, isAlive, signal, stop };
}

const ending = (code: number | null, signal: NodeJS.Signals | null): string =>
  code === null ? `by ${signal}` : `with code ${code}`;
