import { kinds, pathOf } from '../../../kube/kinds.ts';
import type { Node } from '../../../kube/object.ts';
import type { Cluster } from '../cluster.ts';
import { outcomeOf } from '../command.ts';
import type { StepReport } from '../job.ts';

/** The Kubernetes API answers, to us and to a stock kubectl. */
export async function clusterUp(cluster: Cluster, report: StepReport): Promise<void> {
  const { api, hosts } = cluster;
  await cluster.startControlPlane();
  for (const { name, address, address6 } of hosts.all)
    report.say(`host ${name.padEnd(8)} ${address}  ${address6}`);
  const { items } = await api.call<{ items: readonly Node[] }>({
    method: 'GET',
    path: pathOf(kinds.node),
  });
  report.check(`${items.length} nodes are registered`, items.length === hosts.nodes.length);
  const nodes = await kubectl(cluster, ['get', 'nodes', '--no-headers']);
  if (nodes === undefined) {
    report.say('kubectl is not installed here: what it would be asked is passed over');
    report.measured(withoutKubectl);
    return;
  }
  const ready = nodes.split('\n').filter((line) => / Ready /.test(line)).length;
  report.check('`kubectl get nodes` shows them Ready', ready === hosts.nodes.length, nodes);
}

/** For the table, of a step that has asked kubectl less than it wanted to. */
export const withoutKubectl = 'kubectl is not installed: not asked';

/** What a stock kubectl prints; undefined where there is none. */
export async function kubectl(
  { kubectl: file, kubeconfigPath }: Cluster,
  args: readonly string[],
): Promise<string | undefined> {
  try {
    const command = ['--kubeconfig', kubeconfigPath, ...args];
    const { code, stdout, stderr } = await outcomeOf(file, command);
    return code === 0 ? stdout : `kubectl ${args.join(' ')} failed: ${stderr.trim()}`;
  } catch {
    return undefined;
  }
}
