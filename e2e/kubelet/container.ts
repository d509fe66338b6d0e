import {
  cpSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Program } from '../lab/host.ts';
import type { Image } from './image.ts';
import type { ContainerSecurity, ContainerSpec } from './pod.ts';

type Mount = { readonly from: string; readonly at: string; readonly readOnly: boolean };

export type Container = {
  /** What the host calls it. */
  readonly name: string;
  readonly spec: ContainerSpec;
  /** Of the Pod and the container together. */
  readonly security: ContainerSecurity & { readonly fsGroup?: number };
  readonly image: Image;
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  /** The network namespace it runs in. */
  readonly namespace: string;
  /** An empty folder of its own, for its root file system. */
  readonly root: string;
};

/** What a runtime such as containerd leaves a container that asks for nothing. */
const usualCapabilities = [
  'chown',
  'dac_override',
  'fowner',
  'fsetid',
  'kill',
  'mknod',
  'net_bind_service',
  'net_raw',
  'setfcap',
  'setgid',
  'setpcap',
  'setuid',
  'sys_chroot',
];

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The program that is this container: a mount namespace with the image's files and nothing else, the user, the
 * capabilities and the write protection of its security context, and then the image's program in the same process, so
 * that a signal to one is a signal to the other. seccomp and resource limits are not applied.
 */
export function containerProgram(container: Container): Program {
  const { name, image, spec, env, namespace } = container;
  const script = [
    'set -eu',
    'unset PWD',
    ...mountRoot(container),
    ['exec', 'chroot', container.root, '/.setpriv', ...identityFlags(container), '--', '"$@"']
      .map((word) => (word === '"$@"' ? word : quote(word)))
      .join(' '),
  ].join('\n');
  const { args = spec.command === undefined ? image.command : [] } = spec;
  const words = [...(spec.command ?? image.entrypoint), ...args];
  const command = words.map((word) =>
    word.replace(/\$\((\w+)\)/g, (said, key) => env[key] ?? said),
  );
  const inside = ['--mount', '--propagation', 'private', '--', 'sh', '-c', script, name];
  return {
    name,
    file: 'unshare',
    args: [...inside, ...command],
    namespace,
    env: { PATH: path, ...env },
  };
}

/** The flags of setpriv(1). It keeps what dies with the lab: the parent death signal is lost with the first identity. */
function identityFlags({ security, image }: Container): string[] {
  const { runAsUser = image.user, runAsGroup = image.group, fsGroup } = security;
  if (security.runAsNonRoot === true && runAsUser === 0)
    throw new Error('the container has runAsNonRoot, and its image or the Pod says user 0');
  return [
    ['--reuid', `${runAsUser}`, '--regid', `${runAsGroup}`],
    fsGroup === undefined ? ['--clear-groups'] : ['--groups', `${fsGroup}`],
    ['--bounding-set', ['-all', ...capabilitiesOf(security).map((one) => `+${one}`)].join(',')],
    ['--inh-caps', '-all', '--pdeathsig', 'KILL'],
    security.allowPrivilegeEscalation === false ? ['--no-new-privs'] : [],
  ].flat();
}

/** In the words of setpriv: `net_raw`. */
export function capabilitiesOf({ capabilities = {} }: ContainerSecurity): readonly string[] {
  const wordOf = (name: string): string => name.toLowerCase().replace(/^cap_/, '');
  const drop = (capabilities.drop ?? []).map(wordOf);
  const kept = drop.includes('all') ? [] : usualCapabilities.filter((one) => !drop.includes(one));
  return [...new Set([...kept, ...(capabilities.add ?? []).map(wordOf)])].toSorted();
}

/** Lines of shell. Folders and empty files to mount on are made here, before. */
function mountRoot({ root, image, mounts, security }: Container): string[] {
  const lines = [bind(root, root, false)];
  const place = (from: string, at: string, readOnly: boolean): void => {
    const target = join(root, at);
    makeMountPoint(from, target);
    lines.push(bind(from, target, readOnly));
  };
  for (const library of ['/usr/lib', '/usr/lib64', '/lib', '/lib64']) {
    const kind = lstatSync(library, { throwIfNoEntry: false });
    if (kind === undefined) continue;
    if (kind.isSymbolicLink()) symlinkSync(readlinkSync(library), join(root, library));
    else place(library, library, true);
  }
  place('/usr/bin/setpriv', '/.setpriv', true);
  for (const [at, from] of Object.entries(image.binds)) place(from, at, true);
  for (const [at, from] of Object.entries(image.copies))
    cpSync(from, join(root, at), { recursive: true });
  for (const folder of ['etc', 'tmp', 'proc', 'sys', 'dev']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  writeFileSync(join(root, 'etc/hosts'), '127.0.0.1 localhost\n');
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/:\nnonroot:x:65532:65532::/:\n');
  for (const device of ['null', 'zero', 'full', 'random', 'urandom'])
    place(`/dev/${device}`, `/dev/${device}`, false);
  lines.push(`mount -t proc proc ${quote(join(root, 'proc'))}`);
  lines.push(`mount -t sysfs -o ro sysfs ${quote(join(root, 'sys'))}`);
  for (const { from, at, readOnly } of mounts) place(from, at, readOnly);
  if (security.readOnlyRootFilesystem === true) {
    lines.push(`mount -o remount,bind,ro ${quote(root)}`);
  }
  return lines;
}

const bind = (from: string, at: string, readOnly: boolean): string =>
  `mount --bind ${readOnly ? '-o ro ' : ''}${quote(from)} ${quote(at)}`;

function makeMountPoint(from: string, at: string): void {
  if (statSync(from).isDirectory()) {
    mkdirSync(at, { recursive: true });
    return;
  }
  mkdirSync(dirname(at), { recursive: true });
  writeFileSync(at, '', { flag: 'a' });
}

const quote = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`;
