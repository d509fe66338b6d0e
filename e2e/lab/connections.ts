import { fileURLToPath } from 'node:url';
import type { Host } from './host.ts';
import { readJsonLines } from './json-lines.ts';

const intervalMs = 10;
/**
 * Linux repeats a lost SYN after one second, so a connection that takes this long has lost a packet
 * and counts as failed.
 */
const timeoutMs = 900;

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
};

const program = fileURLToPath(new URL('./programs/connect-probe.ts', import.meta.url));

export function openConnections(host: Host, address: string, port: number): Connections {
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
  };
}
