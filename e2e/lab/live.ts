import { systemClock } from '../../daemon/clock.ts';
import { kinds, pathOf } from '../../kube/kinds.ts';
import type { Service } from '../../kube/object.ts';
import type { Cluster } from './cluster.ts';
import { holderOf } from './holders.ts';
import { formatTable } from './job.ts';

/** One address as the client sees it. */
type Sight = {
  readonly service: string;
  readonly address: string;
  holder: string;
  mac: string;
  since: Date;
};

const nobody = 'nobody';
const movesShown = 8;

/**
 * Who holds which address, asked by ARP or NDP from the client until the signal aborts. On a terminal one picture,
 * redrawn in place; elsewhere a line for every change.
 */
export async function watchHolders(
  cluster: Cluster,
  out: { readonly isTTY: boolean; write(text: string): unknown },
  signal: AbortSignal,
): Promise<void> {
  const sights = new Map<string, Sight>();
  const moves: string[] = [];
  let drawnLines = 0;
  const draw = (): void => {
    const picture = formatPicture([...sights.values()], moves, cluster);
    const up = drawnLines === 0 ? '' : `\u001B[${drawnLines}A\u001B[J`;
    drawnLines = picture.split('\n').length - 1;
    out.write(up + picture);
  };
  while (!signal.aborted) {
    const assigned = await assignedAddresses(cluster);
    for (const address of sights.keys()) {
      if (!assigned.has(address)) sights.delete(address);
    }
    for (const [address, service] of assigned) {
      const move = await look(cluster, sights, { address, service });
      if (move === undefined) continue;
      moves.push(move);
      if (!out.isTTY) out.write(`${move}\n`);
    }
    if (out.isTTY) draw();
    await systemClock.sleep(250, signal).catch(() => {});
  }
}

/** Notes who holds the address now; a line when that has changed. */
async function look(
  cluster: Cluster,
  sights: Map<string, Sight>,
  { address, service }: { address: string; service: string },
): Promise<string | undefined> {
  const host = await holderOf(cluster, address);
  const holder = host?.name ?? nobody;
  const sight = sights.get(address);
  if (sight?.holder === holder) return undefined;
  const since = systemClock.wall();
  sights.set(address, { service, address, holder, mac: host?.mac ?? '', since });
  const from = sight === undefined ? '' : `${sight.holder} → `;
  return `${timeOf(since)}  ${address} (${service})  ${from}${holder}`;
}

function formatPicture(
  sights: readonly Sight[],
  moves: readonly string[],
  { hosts }: Cluster,
): string {
  const rows = sights.map(({ service, address, holder, mac, since }) => [
    address,
    service,
    holder,
    mac,
    timeOf(since),
  ]);
  const power = hosts.nodes.map(
    ({ name, powerlessSinceMs }) => `${name} ${powerlessSinceMs === undefined ? 'on' : 'OFF'}`,
  );
  return [
    formatTable([['address', 'service', 'held by', 'MAC', 'since'], ...rows]),
    `power: ${power.join(', ')}`,
    'last moves:',
    ...moves.slice(-movesShown).map((move) => `  ${move}`),
    '',
  ].join('\n');
}

/** Address to Service, for every assigned load-balancer address. */
async function assignedAddresses({ api }: Cluster): Promise<Map<string, string>> {
  const path = pathOf(kinds.service);
  const { items } = await api.call<{ items: readonly Service[] }>({ method: 'GET', path });
  return new Map(
    items.flatMap(({ metadata, status }) =>
      (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) =>
        ip === undefined ? [] : [[ip, metadata.name] as const],
      ),
    ),
  );
}

const timeOf = (at: Date): string => at.toTimeString().slice(0, 8);
