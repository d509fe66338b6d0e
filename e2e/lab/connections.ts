import { fileURLToPath } from 'node:url';
import type { Host } from './host.ts';
import { readJsonLines } from './json-lines.ts';

const intervalMs = 10;
/** Longer than any busy machine needs: what was lost on the way, the kernel knows better. */
const timeoutMs = 5_000;

export type Connection = {
  readonly fromMs: number;
  readonly tookMs: number;
  readonly failure?: string;
  /** The kernel's word for the failure, as `ECONNRESET`. */
  readonly code?: string;
};

/** New HTTP connections to an address, one every 10 ms, until it is closed. */
export type Connections = {
  readonly finished: readonly Connection[];
  /** Waits for the connections under way, then ends; answers all of them. */
  readonly close: () => Promise<readonly Connection[]>;
  /** First packets that the host's kernel had to send again since the beginning: a person waits a second for each. */
  readonly lost: () => Promise<number>;
};

const program = fileURLToPath(new URL('./programs/connect-probe.ts', import.meta.url));

export async function openConnections(
  host: Host,
  address: string,
  port: number,
): Promise<Connections> {
  const lostBefore = await repeatedSyns(host);
  const running = host.spawn({
    name: `connections-${address}`,
    file: process.execPath,
    args: [program, address, String(port), String(intervalMs), String(timeoutMs)],
  });
  const finished: Connection[] = [];
  readJsonLines<Connection>(running.output, (connection) => finished.push(connection));
  return {
    finished,
    async close() {
      await running.stop();
      return finished;
    },
    lost: async () => (await repeatedSyns(host)) - lostBefore,
  };
}

export type Losses = {
  /** Established with one node, and not yet answered when the address moved to another: that one knows nothing of them. */
  readonly cut: readonly Connection[];
  /** What every other failure says. */
  readonly failed: readonly string[];
};

/**
 * A connection lives in the kernel of the node it was established with, and no announcer takes it along. One move
 * cuts only what was under way at one moment: where no moment explains all that was cut, none of it is excused.
 */
export function lossesOf(connections: readonly Connection[]): Losses {
  const failures = connections.filter(({ failure }) => failure !== undefined);
  // Who is refused before the handshake is complete gets ECONNREFUSED instead.
  const reset = failures.filter(({ code }) => code === 'ECONNRESET');
  const lastBegin = Math.max(...reset.map(({ fromMs }) => fromMs));
  const firstEnd = Math.min(...reset.map(({ fromMs, tookMs }) => fromMs + tookMs));
  const cut = lastBegin <= firstEnd ? reset : [];
  const failed = failures.filter((each) => !cut.includes(each));
  return { cut, failed: failed.map(({ failure = '' }) => failure) };
}

/** Of /proc/net/netstat, in which a line of names goes before a line of numbers. */
async function repeatedSyns(host: Host): Promise<number> {
  const printed = await host.run('cat', ['/proc/net/netstat']);
  const [names = [], values = []] = printed
    .split('\n')
    .filter((line) => line.startsWith('TcpExt:'))
    .map((line) => line.split(' '));
  return Number(values[names.indexOf('TCPSynRetrans')] ?? Number.NaN);
}
