import type { Cluster } from './cluster.ts';
import { openControl, type Wish } from './control.ts';
import { watchHolders } from './live.ts';
import { allAddresses } from './steps/addresses.ts';
import { urlOf } from './url.ts';

type Output = { readonly isTTY: boolean; write(text: string): unknown };

/** Keeps the lab running, shows who holds what, and cuts and restores power on demand, until the signal aborts. */
export async function stay(cluster: Cluster, out: Output, signal: AbortSignal): Promise<void> {
  await using _control = await openControl((wish) => fulfil(cluster, wish));
  const [address = '198.51.100.200'] = Object.values(await allAddresses(cluster));
  out.write(`
The lab stays until Ctrl-C. From another terminal, as root:
  export KUBECONFIG=${cluster.kubeconfigPath}
  kubectl get services,ipaddresspools,servicel2statuses --all-namespaces
  ip netns exec ${cluster.hosts.client.namespace} curl ${urlOf(address)}
  make cut NODE=node-1      cut its power
  make power NODE=node-1    give it back

`);
  await watchHolders(cluster, out, signal);
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
