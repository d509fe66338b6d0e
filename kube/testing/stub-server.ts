import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { keyOf, type KubeObject } from '../object.ts';

type Happening = { readonly version: number; readonly line: string };
export type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/**
 * One collection behind HTTP, which lists in pages, watches from a version, and fails as told. For tests of what
 * talks to an API server; it knows neither kinds nor selectors.
 */
export class StubServer implements AsyncDisposable {
  readonly #http: http.Server;
  readonly #objects = new Map<string, KubeObject>();
  readonly #watches = new Set<ServerResponse>();
  readonly #history: Happening[] = [];
  #answers: Answer[] = [];
  #version = 10;
  #oldest = 0;
  /** What was asked, as `GET /path?query`. */
  readonly asked: string[] = [];
  /** Objects per page, where that is fewer than asked for. */
  pageSize = 500;

  static async open(port = 0): Promise<StubServer> {
    const server = new StubServer();
    server.#http.listen(port, '127.0.0.1');
    await once(server.#http, 'listening');
    return server;
  }

  private constructor() {
    this.#http = http.createServer((request, response) => {
      void this.#take(request, response);
    });
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get watching(): number {
    return this.#watches.size;
  }

  get version(): string {
    return String(this.#version);
  }

  /** How many of the requests so far were lists or watches. */
  count(what: 'list' | 'watch'): number {
    return this.asked.filter((line) => line.includes('watch=true') === (what === 'watch')).length;
  }

  /** These answer the next requests, one each, before the collection does. */
  next(...answers: Answer[]): void {
    this.#answers.push(...answers);
  }

  put(object: KubeObject): KubeObject {
    this.#version++;
    const resourceVersion = this.version;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion } };
    const type = this.#objects.has(keyOf(object)) ? 'MODIFIED' : 'ADDED';
    this.#objects.set(keyOf(object), stored);
    this.#happen(type, stored);
    return stored;
  }

  remove(object: KubeObject): void {
    const stored = this.#objects.get(keyOf(object));
    if (stored === undefined) throw new Error(`there is no ${keyOf(object)}`);
    this.#version++;
    this.#objects.delete(keyOf(object));
    this.#happen('DELETED', {
      ...stored,
      metadata: { ...stored.metadata, resourceVersion: this.version },
    });
  }

  bookmark(): void {
    this.#version++;
    this.send({ type: 'BOOKMARK', object: { metadata: { resourceVersion: this.version } } });
  }

  /** Forgets what happened so far: watches from before get 410. */
  compact(): void {
    this.#oldest = this.#version;
    this.#history.length = 0;
  }

  /** Goes on at another version, as after a restore from an old backup. */
  rewind(version: number): void {
    this.#version = version;
    this.#history.length = 0;
  }

  /** To every watch: a line of JSON, or raw bytes. */
  send(line: string | Uint8Array | object): void {
    const bytes =
      typeof line === 'string' || line instanceof Uint8Array ? line : `${JSON.stringify(line)}\n`;
    for (const watch of this.#watches) watch.write(bytes);
  }

  /** Watches end properly, as when their time is up. */
  endWatches(): void {
    for (const watch of this.#watches) watch.end();
    this.#watches.clear();
  }

  resetWatches(): void {
    for (const watch of this.#watches) watch.socket?.resetAndDestroy();
    this.#watches.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#http.close();
    this.#http.closeAllConnections();
    await once(this.#http, 'close');
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.asked.push(`${request.method} ${request.url}`);
    const answer = this.#answers.shift();
    let body = '';
    for await (const chunk of request) body += chunk;
    if (answer !== undefined) return answer(request, response, body);
    const query = new URL(request.url ?? '/', this.url).searchParams;
    if (query.get('watch') === 'true') this.#watch(query, response);
    else this.#list(query, response);
  }

  #list(query: URLSearchParams, response: ServerResponse): void {
    const from = Number(query.get('continue') ?? 0);
    const size = Math.min(this.pageSize, Number(query.get('limit') ?? Infinity));
    const all = [...this.#objects.values()];
    const rest = all.length > from + size ? { continue: String(from + size) } : {};
    const metadata = { resourceVersion: this.version, ...rest };
    const items = all.slice(from, from + size);
    answerJson(response, 200, { kind: 'List', apiVersion: 'v1', metadata, items });
  }

  #watch(query: URLSearchParams, response: ServerResponse): void {
    const from = Number(query.get('resourceVersion'));
    if (from < this.#oldest) return expired(response);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    for (const { version, line } of this.#history) if (version > from) response.write(line);
    this.#watches.add(response);
    response.on('close', () => this.#watches.delete(response));
  }

  #happen(type: string, object: KubeObject): void {
    const line = `${JSON.stringify({ type, object })}\n`;
    this.#history.push({ version: this.#version, line });
    this.send(line);
  }
}

export function answerJson(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** Answers with a Status object, as an API server refuses. */
export function refuse(code: number, reason: string, message = 'refused by the test'): Answer {
  const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message };
  return (_request, response) => answerJson(response, code, status);
}

/** A watch that opens and at once reports an error. */
export function failWatch(code: number, reason: string): Answer {
  const object = { kind: 'Status', status: 'Failure', code, reason, message: 'ended by the test' };
  return (_request, response) => response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
}

/** The connection breaks before an answer. */
export const reset: Answer = (request) => {
  request.socket.resetAndDestroy();
};

/** Never answers. */
export const hang: Answer = () => {};

const expired = (response: ServerResponse) => refuse(410, 'Expired')(response.req, response, '');
