import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { established, resetConnection } from './connections.ts';

/** How long a silent connection may be quiet before the kernel asks whether the other side still lives. */
const keepAliveMs = 10_000;

/**
 * One request and its answer. Whatever cuts it short (its signal, its time limit, the end of the transport) is the
 * error its reader sees. Sockets have their own timers: nothing here can be asked of a fake clock.
 */
export class Exchange implements Disposable {
  readonly #request: ClientRequest;
  readonly #body: string | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #connected = Promise.withResolvers<Socket>();
  readonly #answered = Promise.withResolvers<IncomingMessage>();
  #response: IncomingMessage | undefined;
  #timer: NodeJS.Timeout | undefined;
  #cutBy: { readonly error: unknown } | undefined;

  constructor(request: ClientRequest, body?: string, signal?: AbortSignal) {
    this.#request = request;
    this.#body = body;
    this.#signal = signal;
    // Nobody may be waiting at the moment it fails.
    this.#answered.promise.catch(() => {});
    request.on('socket', (socket) => {
      socket.setKeepAlive(true, keepAliveMs);
      this.#connected.resolve(socket);
    });
    request.on('response', (response) => {
      this.#response = response;
      // Every reader goes through `chunks`, which reports it; an error between two reads must not be fatal.
      response.on('error', () => {});
      this.#answered.resolve(response);
    });
    request.on('error', (error) => this.#answered.reject(error));
    signal?.addEventListener('abort', this.#abort, { once: true });
  }

  /** True where the server closed a kept connection just as the request went out on it. */
  get lostOnReuse(): boolean {
    return this.#request.reusedSocket && this.#response === undefined && this.#cutBy === undefined;
  }

  /** From now on, `ms` may pass before the exchange is cut; a later call replaces an earlier one. */
  limit(ms: number, expired: () => Error): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.cut(expired()), ms);
  }

  /**
   * Sends the request and waits for the head of its answer. The signal is asked last when the connection stands: what
   * comes after, the kernel does at once.
   */
  async answer(): Promise<IncomingMessage> {
    try {
      await Promise.race([this.#connected.promise.then(established), this.#answered.promise]);
      this.#signal?.throwIfAborted();
      this.#request.end(this.#body);
      return await this.#answered.promise;
    } catch (error) {
      throw this.#cutBy === undefined ? error : this.#cutBy.error;
    }
  }

  /**
   * The body as it arrives. With `idleMs`, that much silence cuts the exchange; only the time spent waiting for the
   * server counts, not what the reader takes to work on a chunk.
   */
  async *chunks(idle?: { ms: number; expired: () => Error }): AsyncGenerator<Buffer, void> {
    const response = await this.#answered.promise;
    const body: AsyncIterator<Buffer> = response[Symbol.asyncIterator]();
    try {
      for (;;) {
        if (idle !== undefined) this.limit(idle.ms, idle.expired);
        const { done, value } = await body.next();
        if (idle !== undefined) clearTimeout(this.#timer);
        if (done === true) break;
        yield value;
      }
    } catch (error) {
      throw this.#cutBy === undefined ? error : this.#cutBy.error;
    }
  }

  /** What a write had sent and the network not yet delivered is taken back; a read only ends. */
  cut(error: unknown): void {
    this.#cutBy ??= { error };
    this.#answered.reject(error);
    const { socket, method } = this.#request;
    if (method === 'GET' || socket === null || socket.destroyed) this.#end();
    // Not from within one of its own callbacks: Node 24 crashes where a TLS connection is reset in the middle of that.
    else
      setImmediate(() => {
        resetConnection(socket);
        this.#end();
      });
  }

  /** A connection whose answer was read to its end goes back to the pool, any other is closed. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#abort);
    if (this.#response?.readableEnded === true || this.#cutBy !== undefined) return;
    this.#end();
  }

  #end(): void {
    this.#request.destroy();
    this.#response?.destroy();
  }

  readonly #abort = () => this.cut(this.#signal?.reason);
}
