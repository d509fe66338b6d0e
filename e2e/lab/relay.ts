import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

export type Relay = AsyncDisposable & { readonly port: number };

/**
 * Makes the API server of the lab reachable from this machine: the lab's network is closed to it, but a
 * unix socket is a file, and files are shared. Listens on 127.0.0.1 alone, on a port that is free.
 */
export async function openRelay(socketPath: string): Promise<Relay> {
  const open = new Set<Socket>();
  const keep = (socket: Socket): void => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  };
  const server = createServer((near) => {
    const far = connect(socketPath);
    keep(near);
    keep(far);
    near.pipe(far);
    far.pipe(near);
    // Whatever happens to one side happens to the other; a server that is away refuses like a real one.
    near.on('error', () => far.destroy()).on('close', () => far.destroy());
    far.on('error', () => near.resetAndDestroy()).on('close', () => near.destroySoon());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}
