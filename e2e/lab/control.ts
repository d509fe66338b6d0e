import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { explain } from '../../daemon/log.ts';
import { recordsFolder } from './record.ts';

/** There is one lab that stays at a time. */
export const labName = 'lab';
export const controlPath = join(recordsFolder, labName, 'control');

/** What can be asked of a lab that is running, by another process. */
export type Wish = { readonly verb: string; readonly node: string };

/**
 * Takes one wish per connection (a line of JSON) and answers it with a line of text: what was done, or `refused:`
 * and why not.
 */
export async function openControl(
  fulfil: (wish: Wish) => Promise<string>,
): Promise<AsyncDisposable> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    createInterface({ input: socket }).once('line', (line) => {
      void answer(line, fulfil).then((text) => socket.end(`${text}\n`));
    });
  });
  server.listen(controlPath);
  await once(server, 'listening');
  return {
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}

async function answer(line: string, fulfil: (wish: Wish) => Promise<string>): Promise<string> {
  try {
    return await fulfil(JSON.parse(line) as Wish);
  } catch (error) {
    return `refused: ${explain(error)}`;
  }
}
