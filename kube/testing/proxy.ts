import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';

/** Stands between a client and a server on loopback, and can go deaf as a hung load balancer does. */
export class Proxy implements AsyncDisposable {
  readonly #listener: net.Server;
  readonly #sockets = new Set<Socket>();

  static async open(targetPort: number): Promise<Proxy> {
    const listener = net.createServer();
    const proxy = new Proxy(listener, targetPort);
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return proxy;
  }

  private constructor(listener: net.Server, targetPort: number) {
    this.#listener = listener;
    listener.on('connection', (near) => {
      const far = net.connect(targetPort, '127.0.0.1');
      this.#join(near, far);
      this.#join(far, near);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#listener.address() as AddressInfo).port}`;
  }

  get connections(): number {
    return this.#sockets.size / 2;
  }

  /** Connections stay open and the kernel goes on acknowledging, but nothing passes any more. New ones still work. */
  freeze(): void {
    for (const socket of this.#sockets) {
      socket.removeAllListeners('data');
      socket.pause();
    }
  }

  /** Every connection ends in a reset. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reset();
    this.#listener.close();
    await once(this.#listener, 'close');
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('data', (bytes) => to.write(bytes));
    from.on('error', () => to.resetAndDestroy());
    from.on('end', () => to.end());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
