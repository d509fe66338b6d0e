import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { runNow } from './command.ts';

/**
 * What a lab owns is written down before it is used, so that whatever a killed lab left behind can be
 * removed by the next one: `/run/mercurylb/LAB/owner` names the process the lab belongs to,
 * `/run/mercurylb/LAB/processes` everything it started, and its network namespaces are the ones
 * called `mercurylb-LAB-HOST`. `/run` is emptied by a reboot, as are namespaces and processes.
 */
export const recordsFolder = '/run/mercurylb';

/** A process id is given again; together with the start time (clock ticks since boot) it is not. */
type ProcessMark = string;

export type LabRecord = { readonly lab: string; readonly folder: string };

export const namespaceOf = (lab: string, host: string): string => `mercurylb-${lab}-${host}`;

/** Claims the name of a lab for this process; throws when a living lab has it. */
export function openRecord(lab: string): LabRecord {
  const folder = join(recordsFolder, lab);
  const owner = readLines(join(folder, 'owner'))[0];
  if (owner !== undefined && isAlive(owner)) {
    const [pid] = owner.split(' ');
    throw new Error(
      `a lab called '${lab}' is running already (process ${pid}): end it with Ctrl-C there, or with \`make clean-lab\``,
    );
  }
  removeLab({ lab, folder });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'owner'), `${markOf(process.pid)}\n`);
  return { lab, folder };
}

export function recordProcess(record: LabRecord, pid: number): void {
  appendFileSync(join(record.folder, 'processes'), `${markOf(pid) ?? ''}\n`);
}

/** Removes every lab whose owner is gone; answers their names. */
export function removeDeadLabs(): string[] {
  const dead = allRecords().filter(({ folder }) => {
    const owner = readLines(join(folder, 'owner'))[0];
    return owner === undefined || !isAlive(owner);
  });
  for (const record of dead) removeLab(record);
  return dead.map(({ lab }) => lab);
}

export function allRecords(): LabRecord[] {
  const labs = namesIn(recordsFolder);
  return labs.map((lab) => ({ lab, folder: join(recordsFolder, lab) }));
}

/** The process a lab belongs to, where it still lives. */
export function ownerOf(record: LabRecord): number | undefined {
  const owner = readLines(join(record.folder, 'owner'))[0];
  return owner !== undefined && isAlive(owner) ? Number(owner.split(' ')[0]) : undefined;
}

/** Ends what the lab started and removes its namespaces; nothing is awaited, so it also works on exit. */
export function removeLab({ lab, folder }: LabRecord): void {
  for (const mark of readLines(join(folder, 'processes'))) {
    if (isAlive(mark)) killGroup(Number(mark.split(' ')[0]));
  }
  const namespaces = namesIn('/run/netns').filter((name) => name.startsWith(namespaceOf(lab, '')));
  if (namespaces.length > 0) {
    const lines = namespaces.map((name) => `netns del ${name}\n`);
    // A session of its own: what ends this process by a signal to its whole group must not end the removal, too.
    runNow('setsid', ['ip', '-batch', '-'], lines.join(''));
  }
  rmSync(folder, { recursive: true, force: true });
}

/** SIGKILL for the process and what it started; it leads its own process group. */
export function killGroup(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!isNoSuchProcess(error)) throw new Error(`sending ${signal} to ${pid}`, { cause: error });
  }
}

const isNoSuchProcess = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ESRCH';

function isAlive(mark: ProcessMark): boolean {
  return mark !== '' && markOf(Number(mark.split(' ')[0])) === mark;
}

/** proc_pid_stat(5): field 22 is the start time; the name in field 2 may hold anything but ends with `)`. */
function markOf(pid: number): ProcessMark | undefined {
  const [stat = ''] = readLines(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  return startTicks === undefined || state === 'Z' ? undefined : `${pid} ${startTicks}`;
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    // Not there: the process or the record is gone.
    return [];
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
