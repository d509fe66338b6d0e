/**
 * `uplink.ts SOCKET ADDRESS PORT`: makes what a host of the lab can reach over its network reachable by a file, for who is
 * outside of that network. It goes with the host's power, and is cut off with its link.
 */
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';

const [socketPath = '', host = '', port = ''] = process.argv.slice(2);
rmSync(socketPath, { force: true });

createServer((near) => {
  const far = connect({ host, port: Number(port) });
  near.pipe(far);
  far.pipe(near);
  near.on('error', () => far.destroy()).on('close', () => far.destroy());
  far.on('error', () => near.destroy()).on('close', () => near.destroySoon());
}).listen(socketPath);
