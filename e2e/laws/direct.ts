import { ApiError, type Call, type Transport } from '../../kube/transport.ts';
import type { Answer } from '../apiserver/api/answer.ts';
import { isObject, type Json, textAt } from '../apiserver/json.ts';
import type { ApiServer } from '../apiserver/server.ts';

/** Called in place of every write of the status of a Service, which `go` makes. */
export type OnWrite = <T>(call: Call, go: () => T) => Promise<T>;

/**
 * The way to an API server in the same process, without sockets: what happens is the same again and again for the same
 * questions. Watches can fall behind and break.
 */
export class DirectTransport implements Transport {
  readonly #api: ApiServer;
  readonly #onWrite: OnWrite;
  readonly #watches = new Set<Watch>();
  #lagging = false;
  #most = 1;
  #closed = false;

  constructor(api: ApiServer, onWrite: OnWrite) {
    this.#api = api;
    this.#onWrite = onWrite;
  }

  async call<T = unknown>(call: Call, signal?: AbortSignal): Promise<T> {
    const go = () => ask<T>(this.#api, call);
    this.#mayGo(signal);
    const isStatus = call.method === 'PATCH' && /\/services\/[^/]+\/status$/.test(call.path);
    const answer = isStatus ? await this.#onWrite(call, go) : go();
    this.#mayGo(signal);
    return answer;
  }

  async *lines(call: Call, _idleMs: number, signal?: AbortSignal): AsyncGenerator<unknown, void> {
    this.#mayGo(signal);
    const stream = this.#api.ask(requestOf(call));
    if (stream.kind === 'answer') throw refusalOf(call, stream);
    using watch = new Watch();
    this.#watches.add(watch);
    this.#most = Math.max(this.#most, this.#watches.size);
    const gone = AbortSignal.any([watch.gone, ...(signal === undefined ? [] : [signal])]);
    const ended = stream.run({ write: (line) => watch.write(line), backlog: () => 0 }, gone);
    void ended.then(() => watch.end());
    try {
      for (;;) {
        const line = this.#lagging && !gone.aborted ? undefined : watch.next();
        if (line !== undefined) yield JSON.parse(line);
        else if (watch.over || gone.aborted) return;
        else await watch.news();
      }
    } finally {
      this.#watches.delete(watch);
    }
  }

  /** From now on nothing new is seen, until `catchUp`. */
  lag(): void {
    this.#lagging = true;
  }

  catchUp(): void {
    this.#lagging = false;
    for (const watch of this.#watches) watch.wake();
  }

  /** Whether everything is watched that ever was, and seen. */
  get isUpToDate(): boolean {
    return !this.#lagging && this.#watches.size === this.#most;
  }

  /** Ends every watch; what it has not delivered is lost with it. */
  cut(): void {
    for (const watch of this.#watches) watch[Symbol.dispose]();
  }

  close(): void {
    this.#closed = true;
    this.cut();
  }

  #mayGo(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (this.#closed) throw new Error('the connection is closed');
  }
}

/** The lines of one watch that were sent and not yet read. */
class Watch implements Disposable {
  readonly #gone = new AbortController();
  #lines: string[] = [];
  #news = Promise.withResolvers<void>();
  over = false;

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  write(line: string): void {
    this.#lines.push(line);
    this.wake();
  }

  next(): string | undefined {
    return this.#lines.shift();
  }

  news(): Promise<void> {
    return this.#news.promise;
  }

  end(): void {
    this.over = true;
    this.wake();
  }

  wake(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  [Symbol.dispose](): void {
    this.#lines = [];
    this.#gone.abort(new Error('the watch was cut'));
    this.end();
  }
}

/** One request and its answer, which is thrown where it is a refusal. */
export function ask<T>(api: ApiServer, call: Call): T {
  const answer = api.ask(requestOf(call));
  if (answer.kind === 'stream') throw new Error(`${call.path} is answered by a stream`);
  if (answer.code >= 300) throw refusalOf(call, answer);
  // What the server says about a kind has the shape of that kind.
  return JSON.parse(answer.body) as T;
}

function requestOf({ method, path, query = {}, body, contentType = 'application/json' }: Call) {
  const url = new URL(path, 'http://server');
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(name, String(value));
  const headers: Readonly<Record<string, string>> = {
    accept: 'application/json',
    'user-agent': 'mercurylb',
    'content-type': body === undefined ? '' : contentType,
  };
  return {
    method,
    url,
    header: (name: string) => headers[name] ?? '',
    body: body === undefined ? '' : JSON.stringify(body),
  };
}

function refusalOf({ method, path }: Call, { code, body }: Answer): ApiError {
  const status = JSON.parse(body) as Json;
  const [reason, message] = isObject(status)
    ? [textAt(status, 'reason'), textAt(status, 'message')]
    : ['Unknown', body];
  return new ApiError(code, reason, `${method} ${path}: ${code} ${message}`);
}
