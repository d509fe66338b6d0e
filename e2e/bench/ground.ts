import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatKubeconfig } from '../kubernetes/kubeconfig.ts';
import { type ControlPlane, openControlPlane } from '../kubernetes/control-plane.ts';
import { until } from '../../daemon/testing/until.ts';
import { type Hosts, openHosts } from '../lab/hosts.ts';
import { fromRoot, systemNamespace } from '../lab/programs.ts';
import { type Audit, auditFlags, auditPolicy, readAudit } from './audit.ts';
import { Follower } from './follower.ts';
import { Operator } from './operator.ts';
import type { RequestKind } from './programs/requests.ts';

/** As service accounts: the API server lets the users of a Pod in ahead of nobody else. */
const group = 'system:serviceaccounts';
export const users = {
  operator: 'bench:operator',
  loop: 'bench:loop',
  speaker: `system:serviceaccount:${systemNamespace}:speaker`,
};

/**
 * A real API server with nothing in it but a pool, on a host of the lab; a node to announce from, and a client. The
 * programs under measure run on these hosts, each a process of its own.
 */
export type Ground = AsyncDisposable & {
  readonly hosts: Hosts;
  readonly plane: ControlPlane;
  readonly audit: Audit;
  startOperator(): Operator;
  /** Sends so many requests of a kind in the bare loop; answers the CPU seconds that the loop itself took. */
  write(kind: RequestKind, count: number, concurrency: number): Promise<{ cpuSeconds: number }>;
  /** A judge who looks at all Services from now on. */
  follow(): Promise<Follower>;
  /** Applies these objects as the admin. */
  apply(...objects: readonly object[]): Promise<void>;
};

/** RFC 2544 keeps this network for benchmarks. */
const pool = '198.18.0.0/15';

export async function openGround(): Promise<Ground> {
  await using opening = new AsyncDisposableStack();
  const hosts = opening.use(await openHosts({ nodes: 1, lab: `bench${process.pid}` }));
  const folder = join(hosts.folder, 'bench');
  mkdirSync(folder, { mode: 0o700 });
  const policyPath = join(folder, 'audit-policy.json');
  const logPath = join(folder, 'audit.log');
  writeFileSync(policyPath, JSON.stringify(auditPolicy(Object.values(users))));
  const plane = opening.use(
    await openControlPlane({
      place: hosts.control,
      controllers: false,
      moreFlags: { 'kube-apiserver': auditFlags(policyPath, logPath) },
    }),
  );
  const { server } = plane;
  const credentialsOf = (user: keyof typeof users) =>
    plane.authority.issue({ name: users[user], organization: group });
  const accessPath = join(folder, 'loop.access');
  const access = { server, ca: plane.authority.cert, ...credentialsOf('loop') };
  writeFileSync(accessPath, JSON.stringify(access), { mode: 0o600 });
  const kubeconfigPath = join(folder, 'operator.kubeconfig');
  const own = { server, ca: plane.authority.cert, user: credentialsOf('operator') };
  writeFileSync(kubeconfigPath, formatKubeconfig(own), { mode: 0o600 });
  const kubectl = async (args: readonly string[], input?: string): Promise<void> => {
    const { code, stderr } = await plane.kubectl(args, input === undefined ? {} : { input });
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  };
  const apply = async (...objects: readonly object[]): Promise<void> => {
    const list = { apiVersion: 'v1', kind: 'List', items: objects };
    await until('the objects are accepted', async () => {
      await kubectl(['apply', '--server-side', '--filename=-'], JSON.stringify(list));
      return true;
    });
  };
  await kubectl(['apply', '--server-side', `--kustomize=${fromRoot('crds')}`]);
  await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=20s']);
  await apply(...objectsFor());
  const closing = opening.move();
  let started = 0;
  return {
    hosts,
    plane,
    audit: readAudit(logPath),
    apply,
    startOperator: () => new Operator(hosts.control, kubeconfigPath),
    async write(kind, count, concurrency) {
      const args = [program('write'), accessPath, kind, String(count), String(concurrency)];
      const name = `write-${(started += 1)}`;
      const loop = hosts.control.spawn({ name, file: process.execPath, args });
      let printed = '';
      loop.output.on('data', (chunk) => (printed += String(chunk)));
      const how = await loop.exited;
      if (how === 'with code 0') return JSON.parse(printed) as { cpuSeconds: number };
      throw new Error(`the bare loop ended ${how}: ${hosts.control.logOf(name, 3)}`);
    },
    follow: () =>
      Follower.on(hosts.control, {
        name: `follow-${(started += 1)}`,
        file: process.execPath,
        args: [program('follow'), accessPath],
      }),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

const program = (name: string): string => fromRoot(`e2e/bench/programs/${name}.ts`);

const objectsFor = (): readonly object[] => [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: systemNamespace } },
  {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'speaker', namespace: systemNamespace },
  },
  { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'bench' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: Object.values(users).map((name) => ({
      kind: 'User',
      apiGroup: 'rbac.authorization.k8s.io',
      name,
    })),
  },
  {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'IPAddressPool',
    metadata: { name: 'bench', namespace: systemNamespace },
    spec: { addresses: [pool] },
  },
  {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'L2Advertisement',
    metadata: { name: 'bench', namespace: systemNamespace },
    spec: { interfaces: ['eth0'] },
  },
];
