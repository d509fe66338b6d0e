import type { Api, Cluster } from './cluster.ts';
import { openControl, type Wish } from './control.ts';
import { watchHolders } from './live.ts';
import { isOnPath } from './requirements.ts';
import type { Output } from './screen.ts';
import { allAddresses } from './steps/addresses.ts';
import { urlOf } from './url.ts';

/** Keeps the lab running, shows who holds what, and cuts and restores power on demand, until the signal aborts. */
export async function stay(
  cluster: Cluster,
  api: Api,
  { out, signal }: { readonly out: Output; readonly signal: AbortSignal },
): Promise<void> {
  await using _control = await openControl((wish) => fulfil(cluster, wish));
  const [address = '198.51.100.200'] = Object.values(await allAddresses(cluster));
  const hints = [
    'The lab stays until Ctrl-C. From another terminal, as root:',
    `  export KUBECONFIG=${cluster.kubeconfigPath}`,
    `  ${cluster.kubectl} get services,ipaddresspools,servicel2statuses --all-namespaces`,
    `  ip netns exec ${cluster.hosts.client.namespace} curl ${urlOf(address)}`,
    '  make cut NODE=node-1      cut its power',
    '  make power NODE=node-1    give it back',
    ...notesOn(cluster, api),
    '',
  ];
  out.write(`\n${hints.join('\n')}\n`);
  await watchHolders(cluster, { out, hints }, signal);
}

/** What somebody who types the commands above has to know. */
function notesOn({ kubectl }: Cluster, api: Api): string[] {
  const absent = 'kubectl is not installed here: https://kubernetes.io/docs/tasks/tools has it';
  const lenient = [
    'The API server in memory runs no CEL rules: it takes some mistakes that a real one refuses',
    '(make lab API=kubernetes KEEP=1 runs a real one).',
  ];
  return [
    ...(kubectl === 'kubectl' && !isOnPath('kubectl') ? [absent] : []),
    ...(api === 'embedded' ? lenient : []),
  ];
}

async function fulfil({ hosts }: Cluster, { verb, node }: Wish): Promise<string> {
  const host = hosts.node(node);
  const powerless = host.powerlessSinceMs !== undefined;
  switch (verb) {
    case 'cut':
      if (powerless)
        return `refused: ${node} has no power; give it back with \`make power NODE=${node}\``;
      host.cutPower();
      return `${node} has lost power`;
    case 'power':
      if (!powerless) return `refused: ${node} has power; cut it with \`make cut NODE=${node}\``;
      await host.restorePower();
      return `${node} has power again`;
    default:
      return `refused: nothing is known about '${verb}'`;
  }
}
