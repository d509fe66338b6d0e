import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Where to listen. Port 0 takes a free one. */
export type Place =
  | { readonly host: string; readonly port: number }
  | { readonly socketPath: string };

export type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
};

/** One listening place with its connections. It can go away for a time and come back. */
export class HttpServer {
  readonly #serve: (exchange: Exchange) => Promise<void>;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #place: Place;

  constructor(place: Place, serve: (exchange: Exchange) => Promise<void>) {
    this.#place = place;
    this.#serve = serve;
  }

  /** Starts to listen; rejects with what stands in the way. */
  async open(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer({ keepAlive: true }, (request, response) => {
      const gone = new AbortController();
      response.once('close', () => gone.abort(new Error('the client has gone')));
      this.#serve({ request, response, signal: gone.signal }).catch((error: unknown) => {
        if (!gone.signal.aborted) throw error;
      });
    });
    // Watches last for hours, and who holds an idle connection decides how long.
    server.requestTimeout = 0;
    server.keepAliveTimeout = 0;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    const place = this.#place;
    if ('socketPath' in place) server.listen(place.socketPath, resolve);
    else server.listen(place.port, place.host, resolve);
    await promise;
    server.off('error', reject);
    this.#server = server;
    const address = server.address();
    // A port that was free to choose stays the same when the server comes back.
    if (!('socketPath' in place) && typeof address === 'object' && address !== null) {
      this.#place = { host: place.host, port: address.port };
    }
  }

  get address(): string {
    const place = this.#place;
    if ('socketPath' in place) return `unix:${place.socketPath}`;
    const host = place.host.includes(':') ? `[${place.host}]` : place.host;
    return `http://${host}:${place.port}`;
  }

  /** Sends a reset on every connection. */
  reset(): void {
    for (const socket of this.#sockets) {
      // A unix socket has no reset of its own.
      if ('socketPath' in this.#place) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  /** Stops listening and drops all connections; `open` brings it back to the same place. */
  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    for (const socket of this.#sockets) socket.destroy();
    await promise;
  }
}
