import { createInterface } from 'node:readline';
import { until } from '../../daemon/testing/until.ts';
import type { Running } from '../lab/host.ts';
import type { Hosts } from '../lab/hosts.ts';
import { Client } from '../lab/client.ts';

/** What a neighbour on the LAN hears: for each address, when somebody first announced it unasked. */
export class Listener implements AsyncDisposable {
  readonly #tcpdump: Running;
  readonly #client: Client;
  readonly #firstMs = new Map<string, number>();

  private constructor(client: Client, name: string) {
    const running = client.host.spawn({
      name,
      file: 'tcpdump',
      // Ten thousand addresses are announced within a second: 64 MiB of kernel buffer hold all of it.
      args: ['-i', 'eth0', '-l', '-n', '-tt', '-B', '65536', 'arp and src net 198.18.0.0/15'],
    });
    this.#client = client;
    this.#tcpdump = running;
    createInterface({ input: running.output }).on('line', (line) => this.#take(line));
  }

  static async on({ client: host }: Hosts): Promise<Listener> {
    const name = 'listener';
    const listener = new Listener(new Client(host), name);
    await until('tcpdump listens', () => host.logOf(name, 1).includes('listening on'));
    return listener;
  }

  /** Waits until so many addresses were announced, and the last of them answers; wall clock of the last first word. */
  async all(count: number): Promise<number> {
    await until(
      `${count} addresses are announced`,
      () => {
        if (this.#firstMs.size === count) return true;
        throw new Error(`${this.#firstMs.size} are`);
      },
      { withinMs: 120_000, everyMs: 50 },
    );
    let last = { address: '', atMs: 0 };
    for (const [address, atMs] of this.#firstMs) if (atMs >= last.atMs) last = { address, atMs };
    if ((await this.#client.ask(last.address)) === undefined)
      throw new Error(`${last.address} was announced, and nobody answers for it`);
    return last.atMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tcpdump.stop();
  }

  /** `1790000000.123456 ARP, Request who-has 198.18.0.7 (ff:ff:ff:ff:ff:ff) tell 198.18.0.7, length 46` */
  #take(line: string): void {
    const [, seconds, address] =
      /^([\d.]+) ARP, (?:Request who-has .* tell|Reply) ([\d.]+\d)/.exec(line) ?? [];
    if (seconds === undefined || address === undefined) return;
    if (!this.#firstMs.has(address)) this.#firstMs.set(address, Number(seconds) * 1_000);
  }
}
