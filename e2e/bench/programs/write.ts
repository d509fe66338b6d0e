/**
 * `write.ts ACCESS KIND COUNT CONCURRENCY`: the bare loop. It sends COUNT requests of a kind, so many at a time, on kept
 * connections, and does nothing else; what the API server can take of it is what it can take. Prints how long it took.
 */
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { systemClock } from '../../../daemon/clock.ts';
import type { Access } from '../../../kube/access.ts';
import { type Request, requestFor, requestKinds } from './requests.ts';

const [accessPath = '', said, count = '', concurrency = ''] = process.argv.slice(2);
const kind = requestKinds.find((each) => each === said);
if (kind === undefined)
  throw new Error(`write.ts ACCESS ${requestKinds.join('|')} COUNT CONCURRENCY`);
// The bench has written it.
const { server, ca, cert, key } = JSON.parse(readFileSync(accessPath, 'utf8')) as Access;
const agent = new https.Agent({ keepAlive: true, maxSockets: Number(concurrency), ca, cert, key });

function send({ method, path, contentType, body }: Request): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const headers = { 'content-type': contentType, 'content-length': Buffer.byteLength(body) };
  const request = https.request(`${server}${path}`, { agent, method, headers }, (response) => {
    const { statusCode = 0 } = response;
    let text = '';
    response.on('data', (chunk) => {
      if (statusCode >= 300) text += String(chunk);
    });
    response.on('end', () => {
      if (statusCode < 300) resolve();
      else reject(new Error(`${method} ${path}: ${statusCode} ${text}`));
    });
    response.on('error', reject);
  });
  request.on('error', reject);
  request.end(body);
  return promise;
}

let next = 0;
async function sendInTurn(): Promise<void> {
  while (next < Number(count)) await send(requestFor[kind ?? 'clear'](next++));
}

const startedAtMs = systemClock.nowMs();
await Promise.all(Array.from({ length: Number(concurrency) }, sendInTurn));
const seconds = (systemClock.nowMs() - startedAtMs) / 1_000;
const { user, system } = process.cpuUsage();
agent.destroy();
process.stdout.write(`${JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6 })}\n`);
