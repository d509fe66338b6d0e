import { isObject, type JsonObject, parseJson, textAt } from './json.ts';

export type Reply = { readonly code: number; readonly body: JsonObject; readonly warning: string };
export type Seen = { readonly type: string; readonly object: JsonObject };

/** How patches are named in requests. */
const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

/** The plainest client there is, so that what is seen is the server and not the client. */
export class Client {
  readonly #server: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(server: string, headers: Readonly<Record<string, string>> = {}) {
    this.#server = server.replace(/\/$/, '');
    this.#headers = headers;
  }

  get = (path: string, accept = 'application/json') => this.#send('GET', path, { accept });
  post = (path: string, body: JsonObject) => this.#send('POST', path, { body });
  put = (path: string, body: JsonObject) => this.#send('PUT', path, { body });
  remove = (path: string, body: JsonObject = {}) => this.#send('DELETE', path, { body });
  patch = (path: string, type: keyof typeof patchTypes, body: unknown) =>
    this.#send('PATCH', path, { body, contentType: patchTypes[type] });

  async #send(
    method: string,
    path: string,
    { body, contentType = 'application/json', accept = 'application/json' }: Sending,
  ): Promise<Reply> {
    const response = await fetch(`${this.#server}${path}`, {
      method,
      headers: { ...this.#headers, accept, 'content-type': contentType },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const parsed = parseJson(await response.text());
    return {
      code: response.status,
      body: isObject(parsed) ? parsed : {},
      warning: response.headers.get('warning') ?? '',
    };
  }

  /** The events of a watch, until it ends or the reader stops. */
  async *watch(path: string, signal: AbortSignal): AsyncGenerator<Seen> {
    const join = path.includes('?') ? '&' : '?';
    const response = await fetch(`${this.#server}${path}${join}watch=true`, {
      headers: { ...this.#headers, accept: 'application/json' },
      signal,
    });
    if (response.body === null) throw new Error(`watching ${path} gave no body`);
    let rest = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield seen(line);
    }
  }
}
type Sending = {
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
};

function seen(line: string): Seen {
  const event = parseJson(line);
  if (!isObject(event) || !isObject(event['object'])) throw new Error(`no watch event: ${line}`);
  return { type: textAt(event, 'type'), object: event['object'] };
}

/** The first `count` events, as `TYPE name`. */
export async function firstEvents(client: Client, path: string, count: number): Promise<string[]> {
  const events: string[] = [];
  for await (const { type, object } of client.watch(path, AbortSignal.timeout(10_000))) {
    events.push(`${type} ${textAt(object, 'metadata', 'name')}`);
    if (events.length === count) break;
  }
  return events;
}
