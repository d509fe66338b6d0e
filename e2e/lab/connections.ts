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

/** Of /proc/net/netstat, in which a line of names goes before a line of numbers. */
async function repeatedSyns(host: Host): Promise<number> {
  const printed = await host.run('cat', ['/proc/net/netstat']);
  const [names = [], values = []] = printed
    .split('\n')
    .filter((line) => line.startsWith('TcpExt:'))
    .map((line) => line.split(' '));
  return Number(values[names.indexOf('TCPSynRetrans')] ?? Number.NaN);
}
