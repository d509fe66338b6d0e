import { env } from 'node:process';
import {
  type Api,
  apis,
  type Cluster,
  type ClusterOptions,
  type LabResponder,
  openCluster,
  responders,
} from './cluster.ts';
import { until } from '../../daemon/testing/until.ts';
import { someHolderOf } from './holders.ts';
import { assigned } from './steps/addresses.ts';

/** What a variable says of the tests of the lab; the first choice where it says nothing. */
function wanted<const T extends string>(variable: string, choices: readonly [T, ...T[]]): T {
  const said = env[variable] || choices[0];
  const choice = choices.find((one) => one === said);
  if (choice !== undefined) return choice;
  throw new Error(`${variable}=${said}: it is one of ${choices.join(', ')}`);
}

/** `LAB_API=embedded|kubernetes` says on what the tests of the lab run, where they do not. */
export const wantedApi = (): Api => wanted('LAB_API', apis);
/** `LAB_RESPONDER=packet|kernel` says what answers there. */
const wantedResponder = (): LabResponder => wanted('LAB_RESPONDER', responders);

/** A cluster in which everything runs, and nothing is announced yet. */
export async function openIdle(
  api = wantedApi(),
  responder = wantedResponder(),
  options: Pick<ClusterOptions, 'witnessSeconds'> = {},
): Promise<Cluster> {
  const cluster = await openCluster({ nodes: 3, api, responder, ...options });
  await orExplain(cluster, async () => {
    await cluster.startControlPlane();
    await cluster.applyDefinitions();
    await cluster.startOperator();
    await cluster.startSpeakers();
    await Promise.all(cluster.hosts.nodes.map(cluster.memberAgain));
  });
  return cluster;
}

/** A cluster in which everything runs, and the address of examples/web.yaml is answered for. */
export async function openServing(
  api = wantedApi(),
  responder = wantedResponder(),
  options: Pick<ClusterOptions, 'witnessSeconds'> = {},
): Promise<{ cluster: Cluster; address: string }> {
  const cluster = await openIdle(api, responder, options);
  return orExplain(cluster, async () => {
    await cluster.applyFile('examples/pool.yaml');
    await cluster.applyFile('examples/web.yaml');
    const address = await assigned(cluster, 'web');
    await someHolderOf(cluster, address);
    await reached(cluster, address);
    return { cluster, address };
  });
}

/**
 * Until every backend is reached, whichever node and backend kube-proxy chooses: right after the start one may not be yet.
 * If one in three is not, that many new connections find it.
 */
async function reached({ client }: Cluster, address: string): Promise<void> {
  const all = async () => {
    for (let time = 0; time < 30; time++) await client.curl(`http://${address}/`);
    return true;
  };
  await until('new connections are answered, all of them', all, { withinMs: 60_000 });
}

/** Closes the cluster where bringing it up fails. */
async function orExplain<T>(cluster: Cluster, bringUp: () => Promise<T>): Promise<T> {
  try {
    return await bringUp();
  } catch (error) {
    const logs = cluster.logs(20);
    await cluster[Symbol.asyncDispose]();
    throw new Error(`bringing up the lab; the logs end with:\n${logs}`, { cause: error });
  }
}
