import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../daemon/clock.ts';
import type { Access } from '../../kube/access.ts';
import type { Outcome, RunOptions } from '../lab/command.ts';
import { until } from '../../daemon/testing/until.ts';
import type { Running } from '../lab/host.ts';
import { type Authority, makeAuthority, makeSigningKey } from './authority.ts';
import type { ControlProgram } from './flags.ts';
import * as flags from './flags.ts';
import { openFolder } from './folder.ts';
import { formatKubeconfig } from './kubeconfig.ts';
import { Loopback, type Place } from './place.ts';
import { findPrograms } from './programs.ts';

/** A real Kubernetes without nodes: etcd, kube-apiserver and the controllers, with TLS, RBAC and tokens. */
export type ControlPlane = AsyncDisposable & {
  /** `https://…`, reachable from the place it runs in. */
  readonly server: string;
  /** Signs for the server and its clients. */
  readonly authority: Authority;
  /** All rights, by client certificate. */
  readonly admin: Access;
  /** The same for kubectl and the like: the path of a file. */
  readonly kubeconfig: string;
  /**
   * From its next start, the server shows a certificate that `authority` signed. The plane's own programs trust that one
   * and all before it; `admin` is told to nobody anew.
   */
  certify(authority: Authority): void;
  /** Runs kubectl as the admin; answers how it ended. */
  kubectl(args: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** A program as it runs now: to kill, freeze or measure it. */
  running(name: ControlProgram): Running;
  /** Starts a program that ended; `ready` says when it serves again. */
  start(name: ControlProgram): void;
  ready(signal?: AbortSignal): Promise<void>;
  /** The last lines a program wrote. */
  logOf(name: ControlProgram, lines: number): string;
};

type ControlPlaneOptions = {
  /** A host of the lab; without one, the loopback of this machine. */
  readonly place?: Place;
  /** False leaves kube-controller-manager out: envtest has none. */
  readonly controllers?: boolean;
  /** True adds kube-scheduler, for a place with nodes. */
  readonly scheduler?: boolean;
  readonly moreFlags?: flags.MoreFlags;
};

/** Opens a control plane and waits until it serves. `await using` ends its processes and removes its files. */
export async function openControlPlane(
  options: ControlPlaneOptions = {},
  signal?: AbortSignal,
): Promise<ControlPlane> {
  const folder = openFolder();
  const processes = new Map<string, Running>();
  const close = async (): Promise<void> => {
    // Nothing in it is worth a goodbye, and the API server takes its time for one.
    for (const running of processes.values()) running.signal('SIGKILL');
    await Promise.all(Array.from(processes.values(), ({ exited }) => exited));
    folder[Symbol.dispose]();
  };
  try {
    const place = options.place ?? new Loopback(folder.path);
    const { moreFlags = {}, controllers = true, scheduler = false } = options;
    const work = { folder: folder.path, place, processes, controllers, scheduler, moreFlags };
    const plane = await install(work);
    await plane.ready(signal);
    return { ...plane, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw new Error('opening the control plane', { cause: error });
  }
}

async function install({
  folder,
  place,
  processes,
  controllers,
  scheduler,
  moreFlags,
}: {
  folder: string;
  place: Place;
  processes: Map<string, Running>;
  controllers: boolean;
  scheduler: boolean;
  moreFlags: flags.MoreFlags;
}): Promise<Omit<ControlPlane, keyof AsyncDisposable>> {
  const programs: readonly ControlProgram[] = [
    'etcd',
    'kube-apiserver',
    ...(controllers ? (['kube-controller-manager'] as const) : []),
    ...(scheduler ? (['kube-scheduler'] as const) : []),
  ];
  const files = await findPrograms('kubectl', ...programs);
  const server = `https://${place.address}:${flags.apiServerPort}`;
  const { authority, admin, certify } = writeCredentials(folder, server, place.address);
  const kubeconfig = join(folder, 'admin.kubeconfig');
  const layout = { address: place.address, folder, storeFolder: join(folder, 'etcd') };
  mkdirSync(layout.storeFolder, { mode: 0o700 });
  for (const name of programs) {
    const args = flags.flagList(flags.usual[name](layout), moreFlags[name]);
    processes.set(name, place.install({ name, file: files[name], args }));
  }
  const running = (name: ControlProgram): Running => {
    const found = processes.get(name);
    if (found === undefined) throw new Error(`${name} was never started`);
    return found;
  };
  const logOf = (name: ControlProgram, lines: number): string => place.logOf(name, lines);
  const asAdmin = [`--kubeconfig=${kubeconfig}`, `--cache-dir=${join(folder, 'kubectl')}`];
  const kubectl = (args: readonly string[], more?: RunOptions): Promise<Outcome> =>
    place.outcomeOf(files.kubectl, [...asAdmin, ...args], more);

  const ready = async (signal?: AbortSignal): Promise<void> => {
    const death = deathOf([...processes.values()], (name) => place.logOf(name, 5));
    const signals = signal === undefined ? [death] : [death, signal];
    const limits = { withinMs: 120_000, everyMs: 100, signal: AbortSignal.any(signals) };
    const curl = ['--silent', '--fail-with-body', '--max-time', '2', '--cacert'];
    const mustSucceed = ({ code, stdout, stderr }: Outcome): true => {
      if (code === 0) return true;
      throw new Error((stderr.trim() || stdout.trim()).slice(-500) || `code ${code}`);
    };
    await until(
      'the API server is ready',
      async () =>
        mustSucceed(
          await place.outcomeOf('curl', [...curl, join(folder, 'ca.crt'), `${server}/readyz`]),
        ),
      limits,
    );
    if (!controllers) return;
    await until(
      'the controllers have made the first service account',
      async () => mustSucceed(await kubectl(['get', 'serviceaccount', 'default'])),
      limits,
    );
  };
  const start = (name: ControlProgram): unknown => processes.set(name, place.start(name));
  const own = { server, authority, admin, certify, kubeconfig };
  return { ...own, kubectl, running, start, ready, logOf };
}

/** Writes what the flags name, and answers what the tests need. */
function writeCredentials(
  folder: string,
  server: string,
  address: string,
): { authority: Authority; admin: Access; certify: ControlPlane['certify'] } {
  const write = (name: string, content: string): void =>
    writeFileSync(join(folder, name), content, { mode: 0o600 });
  const authority = makeAuthority('mercurylb-test', systemClock.wall());
  // Loopback: through a relay, from outside of the place.
  const hosts = [address, '127.0.0.1', flags.clusterAddress, 'kubernetes.default.svc'];
  const admin = authority.issue({ name: 'admin', organization: 'system:masters' });
  const controllers = authority.issue({ name: 'system:kube-controller-manager' });
  const scheduler = authority.issue({ name: 'system:kube-scheduler' });
  let ca = '';
  const certify = (by: Authority): void => {
    ca += by.cert;
    const own = by.issue({ name: 'kube-apiserver', hosts });
    write('ca.crt', ca);
    write('server.crt', own.cert);
    write('server.key', own.key);
    write('admin.kubeconfig', formatKubeconfig({ server, ca, user: admin }));
    write('controllers.kubeconfig', formatKubeconfig({ server, ca, user: controllers }));
    write('scheduler.kubeconfig', formatKubeconfig({ server, ca, user: scheduler }));
  };
  certify(authority);
  write('tokens.key', makeSigningKey());
  return { authority, admin: { server, ca, ...admin }, certify };
}

/** Aborts as soon as one of them ends, with what it said last. */
function deathOf(processes: readonly Running[], lastLines: (name: string) => string): AbortSignal {
  const death = new AbortController();
  for (const { name, exited } of processes) {
    void exited.then((how) => death.abort(new Error(`${name} ended ${how}: ${lastLines(name)}`)));
  }
  return death.signal;
}
