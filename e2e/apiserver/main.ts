import { parseArgs } from 'node:util';
import { explain } from '../../daemon/log.ts';
import type { Place } from './http-server.ts';
import { openApiServer } from './server.ts';

const usage = `An in-memory Kubernetes API server for tests and the lab. Plain HTTP, no authentication.

  --listen HOST:PORT   listen there (repeatable; port 0 takes a free one)
  --socket PATH        listen on a unix socket
  --help               this text

Prints one line of JSON with the addresses when it is ready. Ends on SIGTERM or SIGINT.
`;

function placeOf(text: string): Place {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new Error(`--listen ${text} is no HOST:PORT, such as 127.0.0.1:6443`);
  }
  return { host: match[1] ?? match[2] ?? '', port };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      listen: { type: 'string', multiple: true },
      socket: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(usage);
    return;
  }
  const places = (values.listen ?? []).map(placeOf);
  if (values.socket !== undefined) places.push({ socketPath: values.socket });
  if (places.length === 0) places.push({ host: '127.0.0.1', port: 0 });

  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  process.once('SIGTERM', () => stop());
  process.once('SIGINT', () => stop());
  await using server = await openApiServer();
  const addresses: string[] = [];
  for (const place of places) addresses.push(await server.listen(place));
  process.stdout.write(`${JSON.stringify({ ready: true, addresses })}\n`);
  await stopped;
}

main().catch((error: unknown) => {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 2;
});
