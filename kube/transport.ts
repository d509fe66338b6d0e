import http, { type RequestOptions } from 'node:http';
import https from 'node:https';
import { urlToHttpOptions } from 'node:url';
import type { Clock } from '../daemon/clock.ts';
import type { Access } from './access.ts';
import { openAgent } from './connections.ts';
import { CredentialStore } from './credentials.ts';
import { Exchange } from './exchange.ts';
import { splitLines } from './lines.ts';

export type Call = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly contentType?: string;
  /** How long the whole answer may take; for a stream, how long until it begins. */
  readonly timeoutMs?: number;
};

export type Transport = {
  /** The parsed answer, `undefined` where it is empty. Throws `ApiError`, or an `Error` saying what was asked of whom. */
  call<T = unknown>(call: Call, signal?: AbortSignal): Promise<T>;
  /** The parsed lines of an endless answer. Nothing for `idleMs` is an error; so is an end inside a line. */
  lines(call: Call, idleMs: number, signal?: AbortSignal): AsyncIterable<unknown>;
  /** Ends everything under way. */
  close(): void;
};

/** The API server understood and refused: `code` and `reason` are those of its Status object. */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string, message: string) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.reason = reason;
  }
}

type Limits = {
  /** Watches keep a connection each; the rest is for calls. */
  readonly maxSockets: number;
  /** A page of 500 objects as large as etcd takes by default (1.5 MiB) is not to be expected: this is a sane bound. */
  readonly maxAnswerBytes: number;
  /** etcd refuses objects over 1.5 MiB; JSON is longer than what is stored. */
  readonly maxLineBytes: number;
};

const limits: Limits = {
  maxSockets: 64,
  maxAnswerBytes: 128 * 2 ** 20,
  maxLineBytes: 8 * 2 ** 20,
};

const answerWithinMs = 30_000;
/** Shorter than what servers and load balancers grant an idle connection. */
const idleSocketMs = 45_000;

/** One pool of kept connections to one API server. */
export function openTransport(
  access: Access,
  options: Partial<Limits> & { readonly clock?: Pick<Clock, 'nowMs'> } = {},
): Transport {
  const { clock = { nowMs: () => performance.now() }, ...own } = options;
  return new HttpTransport(access, new CredentialStore(access, clock), { ...limits, ...own });
}

class HttpTransport implements Transport {
  readonly #server: string;
  readonly #basePath: string;
  readonly #base: RequestOptions;
  readonly #credentials: CredentialStore;
  readonly #limits: Limits;
  readonly #agent: http.Agent;
  readonly #request: typeof http.request;
  readonly #underWay = new Set<Exchange>();
  #closed = false;

  constructor(access: Access, credentials: CredentialStore, own: Limits) {
    const url = parseServer(access.server);
    this.#server = url.origin;
    this.#basePath = url.pathname.replace(/\/$/, '');
    const { protocol, hostname, port } = urlToHttpOptions(url);
    this.#base = { protocol, hostname, port };
    this.#credentials = credentials;
    this.#limits = own;
    const secure = protocol === 'https:';
    const { maxSockets } = own;
    this.#agent = openAgent(secure, { keepAlive: true, maxSockets, timeout: idleSocketMs });
    this.#request = secure ? https.request : http.request;
  }

  async call<T = unknown>(call: Call, signal?: AbortSignal): Promise<T> {
    try {
      using exchange = await this.#accepted(call, call.timeoutMs ?? answerWithinMs, signal);
      const text = await this.#read(exchange);
      return (text === '' ? undefined : parseJson(text)) as T;
    } catch (error) {
      throw this.#named(error, call, signal);
    }
  }

  async *lines(call: Call, idleMs: number, signal?: AbortSignal): AsyncGenerator<unknown, void> {
    try {
      const withinMs = Math.min(call.timeoutMs ?? answerWithinMs, idleMs);
      using exchange = await this.#accepted(call, withinMs, signal);
      const expired = () => this.#expired(`nothing came for ${idleMs} ms`);
      const chunks = exchange.chunks({ ms: idleMs, expired });
      for await (const line of splitLines(chunks, this.#limits.maxLineBytes)) yield parseJson(line);
    } catch (error) {
      throw this.#named(error, call, signal);
    }
  }

  close(): void {
    this.#closed = true;
    for (const exchange of this.#underWay) exchange.cut(new Error('the transport was closed'));
    this.#agent.destroy();
  }

  /** The exchange once the server has said yes. A first 401 may only mean that the token was renewed. */
  async #accepted(call: Call, withinMs: number, signal?: AbortSignal): Promise<Exchange> {
    for (let again = false; ; again = true) {
      const { exchange, code } = await this.#answered(call, withinMs, signal);
      if (code >= 200 && code < 300) return exchange;
      using refused = exchange;
      const text = await this.#read(refused);
      if (code !== 401 || again) throw refusal(call, code, text);
      this.#credentials.distrust();
    }
  }

  /** The exchange once an answer begins. A kept connection that had died unnoticed costs a read nothing. */
  async #answered(call: Call, withinMs: number, signal?: AbortSignal) {
    for (;;) {
      const exchange = await this.#sent(call, withinMs, signal);
      try {
        const { statusCode = 0 } = await exchange.answer();
        return { exchange, code: statusCode };
      } catch (error) {
        exchange[Symbol.dispose]();
        if (call.method === 'GET' && exchange.lostOnReuse) continue;
        // The server may have a new certificate, and the file beside the token its new authority.
        this.#credentials.distrust();
        throw error;
      }
    }
  }

  async #sent(call: Call, withinMs: number, signal?: AbortSignal): Promise<Exchange> {
    const { headers, tls } = await this.#credentials.get();
    signal?.throwIfAborted();
    if (this.#closed) throw new Error('the transport was closed');
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const options: RequestOptions = {
      ...this.#base,
      ...tls,
      agent: this.#agent,
      method: call.method,
      path: this.#basePath + call.path + formatQuery(call.query),
      headers: {
        accept: 'application/json',
        'user-agent': 'mercurylb',
        ...(body === undefined ? {} : describeBody(body, call.contentType)),
        ...headers,
      },
    };
    const request = this.#request(options);
    const exchange = new Exchange(request, body, signal);
    this.#underWay.add(exchange);
    request.once('close', () => this.#underWay.delete(exchange));
    exchange.limit(withinMs, () => this.#expired(`no answer within ${withinMs} ms`));
    return exchange;
  }

  async #read(exchange: Exchange): Promise<string> {
    const pieces: Buffer[] = [];
    let length = 0;
    for await (const chunk of exchange.chunks()) {
      length += chunk.length;
      if (length > this.#limits.maxAnswerBytes)
        throw new Error(`the answer is longer than ${this.#limits.maxAnswerBytes} bytes`);
      pieces.push(chunk);
    }
    return Buffer.concat(pieces).toString('utf8');
  }

  /** Where one connection has gone silent, those waiting in the pool have most likely, too. */
  #expired(message: string): Error {
    for (const sockets of Object.values(this.#agent.freeSockets))
      for (const socket of sockets ?? []) socket.destroy();
    return new Error(message);
  }

  #named(error: unknown, call: Call, signal?: AbortSignal): unknown {
    if (error instanceof ApiError) return error;
    if (signal?.aborted === true) return signal.reason;
    // One address after the other was tried: the last failure stands for all.
    const cause = error instanceof AggregateError ? error.errors.at(-1) : error;
    return new Error(`${call.method} ${call.path} on ${this.#server}`, { cause });
  }
}

function parseServer(server: string): URL {
  const url = URL.parse(server);
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new Error(`"${server}" is not an API server: write https://host:port`);
  return url;
}

function describeBody(body: string, contentType = 'application/json') {
  return { 'content-type': contentType, 'content-length': Buffer.byteLength(body) };
}

function formatQuery(query: Call['query'] = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) search.set(name, String(value));
  return search.size === 0 ? '' : `?${search.toString()}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`expected JSON, got ${JSON.stringify(text.slice(0, 100))}`, { cause });
  }
}

/** The Status object that comes with a refusal says why; a proxy in between may answer with anything. */
function refusal(call: Call, code: number, text: string): ApiError {
  const status = statusFrom(text);
  const reason =
    status.reason ?? (http.STATUS_CODES[code] ?? 'Unknown').replaceAll(/[^A-Za-z]/g, '');
  const why = status.message ?? text.trim().slice(0, 200);
  const said = why === '' ? reason : `${reason}: ${why}`;
  return new ApiError(code, reason, `${call.method} ${call.path}: ${code} ${said}`);
}

function statusFrom(text: string): { reason?: string; message?: string } {
  let status: unknown;
  try {
    status = JSON.parse(text);
  } catch {
    return {};
  }
  if (typeof status !== 'object' || status === null) return {};
  const { reason, message } = status as Record<string, unknown>;
  return {
    ...(typeof reason === 'string' && reason !== '' ? { reason } : {}),
    ...(typeof message === 'string' && message !== '' ? { message } : {}),
  };
}
