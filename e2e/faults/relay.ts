import { once } from 'node:events';
import {
  type AddressInfo,
  connect,
  createServer,
  type NetConnectOpts,
  type Server,
} from 'node:net';
import { Line } from './line.ts';
import type { Weather } from './weather.ts';

type RelayOptions = {
  readonly target: NetConnectOpts;
  /** Where it listens; the certificate of the target has to name it, too. */
  readonly host: string;
};

/** Stands between a client and a server, and has weather. */
export class FaultyRelay implements AsyncDisposable {
  readonly #server: Server;
  readonly #lines = new Set<Line>();
  #weather: Weather = { kind: 'clear' };

  static async open({ target, host }: RelayOptions): Promise<FaultyRelay> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const relay = new FaultyRelay(server, target);
    server.listen(0, host);
    await once(server, 'listening');
    return relay;
  }

  private constructor(server: Server, target: NetConnectOpts) {
    this.#server = server;
    server.on('connection', (near) => {
      if (this.#weather.kind === 'refused') return void near.resetAndDestroy();
      const far = () => connect({ ...target, allowHalfOpen: true } as NetConnectOpts);
      const line = new Line(near, far, this.#weather);
      this.#lines.add(line);
      void line.ended.then(() => this.#lines.delete(line));
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#lines.size;
  }

  /** Pieces of bytes, and ends, that have not been passed on yet. */
  get waiting(): number {
    return Array.from(this.#lines, ({ waiting }) => waiting).reduce((sum, one) => sum + one, 0);
  }

  change(weather: Weather): void {
    this.#weather = weather;
    for (const line of this.#lines) line.change(weather);
  }

  /** Every connection ends in a reset, on both sides. */
  reset(): void {
    for (const line of this.#lines) line.reset();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reset();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }
}
