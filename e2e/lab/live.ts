import { systemClock } from '../../daemon/clock.ts';
import { kinds, pathOf } from '../../kube/kinds.ts';
import type { Service } from '../../kube/object.ts';
import type { Cluster } from './cluster.ts';
import { holderOf } from './holders.ts';
import { formatPicture } from './picture.ts';
import { type Output, Screen } from './screen.ts';
import { nobody, Sightings } from './sightings.ts';

/** So many addresses may be silent before the others wait. */
const questionsAtOnce = 16;
/** Who holds an address answers within a millisecond; the rest is for a busy machine to start the command that asks. */
const answerMs = 500;
const pace = { listMs: 250, drawMs: 100, idleMs: 50 };

type Watch = {
  readonly cluster: Cluster;
  readonly sightings: Sightings;
  /** Told of every change. */
  readonly tell: (move: string) => void;
};

/**
 * Who holds which address, asked by ARP or NDP from the client until the signal aborts. On a terminal a picture on a
 * screen of its own, with the hints; elsewhere a line for every change.
 */
export async function watchHolders(
  cluster: Cluster,
  { out, hints }: { readonly out: Output; readonly hints: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  const sightings = new Sightings();
  const tell = (move: string): void => {
    if (!out.isTTY) out.write(`${move}\n`);
  };
  const watch = { cluster, sightings, tell };
  using screen = out.isTTY ? new Screen(out) : undefined;
  const draw = async (): Promise<void> => {
    const { moves, sights } = sightings;
    const view = { hints, moves, sights, power: powerOf(cluster) };
    screen?.draw(formatPicture(view, screen.size.rows));
  };
  // The first that fails ends the others.
  const failed = new AbortController();
  const ended = AbortSignal.any([signal, failed.signal]);
  const works = [
    again(() => list(watch), pace.listMs, ended),
    again(draw, pace.drawMs, ended),
    ...Array.from({ length: questionsAtOnce }, () =>
      again(() => ask(watch, ended), pace.idleMs, ended),
    ),
  ];
  try {
    await Promise.all(works);
  } finally {
    failed.abort();
    await Promise.allSettled(works);
  }
}

async function again(
  work: () => Promise<void>,
  everyMs: number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await work();
    await systemClock.sleep(everyMs, signal).catch(() => {});
  }
}

async function list({ cluster, sightings, tell }: Watch): Promise<void> {
  const assigned = await assignedAddresses(cluster);
  for (const move of sightings.follow(assigned, systemClock.wall())) tell(move);
}

/** One question, for the address whose turn it is. Silence is dated by the question, an answer by itself. */
async function ask({ cluster, sightings, tell }: Watch, signal: AbortSignal): Promise<void> {
  const address = sightings.next(systemClock.nowMs());
  if (address === undefined) return;
  const asked = systemClock.wall();
  const host = await holderOf(cluster, address, answerMs).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  // Ctrl-C in the terminal reaches the command that asks, too: what it says then means nothing.
  if (signal.aborted) return;
  const seen =
    host === undefined
      ? { holder: nobody, mac: '', at: asked }
      : { holder: host.name, mac: host.mac, at: systemClock.wall() };
  const move = sightings.note(address, seen, systemClock.nowMs());
  if (move !== undefined) tell(move);
}

function powerOf({ hosts }: Cluster): string {
  const nodes = hosts.nodes.map(
    ({ name, powerlessSinceMs }) => `${name} ${powerlessSinceMs === undefined ? 'on' : 'OFF'}`,
  );
  return `power: ${nodes.join(', ')}`;
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
