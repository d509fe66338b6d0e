import { env } from 'node:process';
import { apis, type Cluster, openCluster, responders } from './cluster.ts';
import { someHolderOf } from './holders.ts';
import { assigned } from './steps/addresses.ts';

/** What a variable says of the tests of the lab; the first choice where it says nothing. */
function wanted<const T extends string>(variable: string, choices: readonly [T, ...T[]]): T {
  const said = env[variable] ?? choices[0];
  const choice = choices.find((one) => one === said);
  if (choice !== undefined) return choice;
  throw new Error(`${variable}=${said}: it is one of ${choices.join(', ')}`);
}

/**
 * A cluster in which everything runs, and the address of examples/web.yaml is answered for. `LAB_API=embedded|kubernetes`
 * and `LAB_RESPONDER=packet|kernel` say on what, where the test does not.
 */
export async function openServing(
  api = wanted('LAB_API', apis),
  responder = wanted('LAB_RESPONDER', responders),
): Promise<{ cluster: Cluster; address: string }> {
  const cluster = await openCluster({ nodes: 3, api, responder });
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
