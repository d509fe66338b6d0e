import { readdirSync, readFileSync } from 'node:fs';

/** What a process has cost so far, as the kernel accounts for it. */
export type Cost = {
  readonly cpuSeconds: number;
  /** Resident memory now, and the most it ever was. */
  readonly residentMb: number;
  readonly peakMb: number;
};

/** proc(5): /proc/PID/stat counts in USER_HZ, which is 100 on every architecture that Node runs on. */
const ticksPerSecond = 100;

export function costOf(pid: number): Cost {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return parseCost(stat, status);
}

/** CPU seconds of every thread of a process, the main thread first. */
export function threadSeconds(pid: number): readonly number[] {
  const threads = readdirSync(`/proc/${pid}/task`).toSorted((a, b) => Number(a) - Number(b));
  return threads.map((thread) =>
    parseCpuSeconds(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')),
  );
}

/** Throws where a field is not where proc(5) has it. */
export function parseCost(stat: string, status: string): Cost {
  const cpuSeconds = parseCpuSeconds(stat);
  return { cpuSeconds, residentMb: megabytes(status, 'VmRSS'), peakMb: megabytes(status, 'VmHWM') };
}

function parseCpuSeconds(stat: string): number {
  // The name in field 2 may hold anything but ends with the last `)`; user and system time are the fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const seconds = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  if (Number.isFinite(seconds)) return seconds;
  throw new Error(`no CPU time in ${stat}`);
}

function megabytes(status: string, field: string): number {
  const [, kilobytes] = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status) ?? [];
  if (kilobytes === undefined) throw new Error(`no ${field} in /proc/PID/status`);
  return Number(kilobytes) / 1_024;
}
