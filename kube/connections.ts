import http from 'node:http';
import https from 'node:https';
import net, { type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext, type SecureContext } from 'node:tls';

/** The TCP connection under each TLS one: only that can be reset. */
const carriers = new WeakMap<Duplex, Socket>();

class SecureAgent extends https.Agent {
  #made: { readonly of: readonly unknown[]; readonly context: SecureContext } | undefined;

  override createConnection(
    options: https.RequestOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    const { hostname, port } = options;
    const carrier = net.connect({ host: hostname ?? '', port: Number(port ?? 443) });
    const own = { secureContext: this.#contextOf(options), socket: carrier };
    const secure = super.createConnection({ ...options, ...own }, callback);
    if (secure) carriers.set(secure, carrier);
    return secure;
  }

  /** One for all connections with the same credentials: what each makes for itself, OpenSSL is slow to give back. */
  #contextOf({ ca, cert, key }: https.RequestOptions): SecureContext {
    const of = [ca, cert, key];
    if (this.#made === undefined || this.#made.of.some((one, index) => one !== of[index]))
      this.#made = { of, context: createSecureContext({ ca, cert, key }) };
    return this.#made.context;
  }
}

/** A pool of kept connections whose requests can be taken back. */
export const openAgent = (secure: boolean, options: http.AgentOptions): http.Agent =>
  secure ? new SecureAgent(options) : new http.Agent(options);

/** Resolves once bytes written to a connection leave at once, after its handshakes. */
export async function established(socket: Socket): Promise<void> {
  const secured = carriers.has(socket);
  const busy = secured ? Reflect.get(socket, 'secureConnecting') === true : socket.connecting;
  if (!busy) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  // A failure is told by the request.
  socket.once(secured ? 'secureConnect' : 'connect', () => resolve());
  await promise;
}

/**
 * Ends a connection so that the kernel throws away what it has not delivered yet. After an orderly end it would go on
 * trying for a minute or more, and a write long given up would arrive when the network is whole again.
 */
export function resetConnection(socket: Socket): void {
  const carrier = carriers.get(socket) ?? socket;
  // Node 24 never lets go of a socket that is reset while it connects or shuts down.
  if (carrier.connecting || carrier.writableEnded || socket.writableEnded) socket.destroy();
  else carrier.resetAndDestroy();
}
