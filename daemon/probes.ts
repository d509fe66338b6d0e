import { once } from 'node:events';
import http, { type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './metrics.ts';

/** `undefined` while all is well, else what is wrong, for people. */
type Check = () => string | undefined;
type Checks = Readonly<Record<string, Check>>;

type ProbeOptions = {
  /** 0 is off. */
  readonly port: number;
  /** The setting the port came from, named when it cannot be had: `--probe-port`. */
  readonly flag: string;
  readonly host?: string;
  /** Wrong here means that only a restart helps. */
  readonly live?: Checks;
  /** Wrong here means not to be counted on now. */
  readonly ready?: Checks;
  readonly metrics?: Metrics;
};

type Probes = AsyncDisposable & {
  /** Where it listens; 0 when it is off. */
  readonly port: number;
  close(): Promise<void>;
};

/** Answers `/livez`, `/readyz` (every failing check with its reason) and `/metrics`. Throws where it cannot listen. */
export async function openProbes(options: ProbeOptions): Promise<Probes> {
  if (options.port === 0) return off;
  const server = http.createServer((request, response) => {
    const path = (request.url ?? '/').replace(/\?.*$/, '');
    if (request.method !== 'GET' && request.method !== 'HEAD') say(response, 405, 'only GET\n');
    else void answer(path, options, response);
  });
  try {
    server.listen(options.port, options.host);
    await once(server, 'listening');
  } catch (cause) {
    throw new Error(`cannot listen on port ${options.port} (${options.flag})`, { cause });
  }
  const close = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  const { port } = server.address() as AddressInfo;
  return { port, close, [Symbol.asyncDispose]: close };
}

const nothing = async () => {};
const off: Probes = { port: 0, close: nothing, [Symbol.asyncDispose]: nothing };

async function answer(
  path: string,
  { live = {}, ready = {}, metrics }: ProbeOptions,
  response: ServerResponse,
): Promise<void> {
  if (path === '/livez' || path === '/healthz') return sayChecks(response, live);
  if (path === '/readyz') return sayChecks(response, ready);
  if (path !== '/metrics' || metrics === undefined) return say(response, 404, 'not found\n');
  response.setHeader('content-type', metrics.contentType);
  say(response, 200, await metrics.expose());
}

function sayChecks(response: ServerResponse, checks: Checks): void {
  const results = Object.entries(checks).map(([name, check]) => ({ name, wrong: check() }));
  const lines = results.map(({ name, wrong }) =>
    wrong === undefined ? `[+] ${name} ok` : `[-] ${name} failed: ${wrong}`,
  );
  const well = results.every(({ wrong }) => wrong === undefined);
  say(response, well ? 200 : 503, [...lines, well ? 'ok' : 'not ok', ''].join('\n'));
}

function say(response: ServerResponse, code: number, body: string): void {
  response.statusCode = code;
  if (!response.hasHeader('content-type'))
    response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.end(body);
}
