import { env } from 'node:process';
import { type Api, apis, type Cluster, openCluster } from './cluster.ts';
import { someHolderOf } from './holders.ts';
import { assigned } from './steps/addresses.ts';

/** `LAB_API=embedded|kubernetes` says on what the tests of the lab run. */
function wantedApi(): Api {
  const { LAB_API = 'embedded' } = env;
  const api = apis.find((one) => one === LAB_API);
  if (api !== undefined) return api;
  throw new Error(`LAB_API=${LAB_API}: it is one of ${apis.join(', ')}`);
}

/** A cluster in which everything runs, and the address of examples/web.yaml is answered for. */
export async function openServing(
  api = wantedApi(),
): Promise<{ cluster: Cluster; address: string }> {
  const cluster = await openCluster({ nodes: 3, api });
  try {
    await cluster.startControlPlane();
    await cluster.applyDefinitions();
    await cluster.startOperator();
    await cluster.startSpeakers();
    await cluster.applyFile('examples/pool.yaml');
    await cluster.applyFile('examples/web.yaml');
    const address = await assigned(cluster, 'web');
    await someHolderOf(cluster, address);
    await Promise.all(cluster.hosts.nodes.map(cluster.memberAgain));
    return { cluster, address };
  } catch (error) {
    const logs = cluster.logs(20);
    await cluster[Symbol.asyncDispose]();
    throw new Error(`bringing up the lab; the logs end with:\n${logs}`, { cause: error });
  }
}
