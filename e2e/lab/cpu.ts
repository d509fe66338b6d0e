import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import type { Host, Running } from './host.ts';

/** Where groups of processes get their share of the CPU: version 2 of cgroups, or the controller `cpu` of version 1. */
const roots = [
  { folder: '/sys/fs/cgroup', mark: 'cgroup.subtree_control', version: 2 },
  { folder: '/sys/fs/cgroup/cpu', mark: 'cpu.cfs_quota_us', version: 1 },
] as const;

const periodUs = 100_000;

/** The options of a test that needs shares of the CPU; `E2E_REQUIRE=1` makes it a failure not to have them. */
export function needsQuota(): { readonly skip: string | false } {
  const skip =
    'no cgroup with a quota of the CPU can be made here: it needs root, and cgroups that are writable';
  const excused = rootOf() === undefined && env['E2E_REQUIRE'] !== '1';
  return { skip: excused && skip };
}

function rootOf() {
  return roots.find(({ folder, mark, version }) => {
    try {
      accessSync(join(folder, mark), constants.W_OK);
      return version === 1 || readFileSync(join(folder, mark), 'utf8').includes('cpu');
    } catch {
      return false;
    }
  });
}

export type Throttle = Disposable & {
  /** In how many tenths of a second it had to wait for the next one so far. */
  readonly waits: () => number;
};

/** Lets a program and all that it started have this part of one CPU, in every tenth of a second, until it is disposed. */
export function throttle({ pid }: Running, share: number): Throttle {
  const root = rootOf();
  if (root === undefined) throw new Error('no cgroup with a quota of the CPU can be made here');
  const group = join(root.folder, `mercurylb-${pid}`);
  mkdirSync(group);
  const quotaUs = Math.round(periodUs * share);
  if (root.version === 2) writeFileSync(join(group, 'cpu.max'), `${quotaUs} ${periodUs}`);
  else writeFileSync(join(group, 'cpu.cfs_quota_us'), String(quotaUs));
  const before = new Map(processesOf(pid).map((each) => [each, homeOf(each, root)]));
  for (const each of before.keys()) writeFileSync(join(group, 'cgroup.procs'), each);
  return {
    waits() {
      const stat = readFileSync(join(group, 'cpu.stat'), 'utf8');
      return Number(/^nr_throttled (\d+)$/m.exec(stat)?.[1]);
    },
    [Symbol.dispose]() {
      for (const [each, home] of before)
        if (existsSync(`/proc/${each}`)) writeFileSync(join(home, 'cgroup.procs'), each);
      rmdirSync(group);
    },
  };
}

/** The processes of a group: a program of a host leads one. Field 5 of proc_pid_stat(5), counted behind the name. */
function processesOf(leader: number): readonly string[] {
  return readdirSync('/proc').filter((entry) => {
    if (!/^\d+$/.test(entry) || !existsSync(`/proc/${entry}/stat`)) return false;
    const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2] === String(leader);
  });
}

function homeOf(pid: string, { folder, version }: (typeof roots)[number]): string {
  const wanted = version === 2 ? /^0::(.*)$/m : /^\d+:(?:[^:]*,)?cpu(?:,[^:]*)?:(.*)$/m;
  const [, home = '/'] = wanted.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8')) ?? [];
  return join(folder, home);
}

/** Programs that do nothing, so many for each CPU, at the most for so long. */
export function keepBusy(
  host: Host,
  { times, atMostMs }: { times: number; atMostMs: number },
): AsyncDisposable {
  const busy = Array.from({ length: times * availableParallelism() }, (_, index) =>
    host.spawn({
      name: `busy-${index}`,
      file: 'timeout',
      args: [String(atMostMs / 1_000), 'sh', '-c', 'while :; do :; done'],
    }),
  );
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(busy.map((each) => each.stop()));
    },
  };
}
