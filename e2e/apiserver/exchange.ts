import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { explain } from '../../daemon/log.ts';
import { type Answer, answer, refusalAnswer, type Stream } from './api/answer.ts';
import { type ApiRequest, type Parts, respond, routeOrRefusal } from './api/api.ts';
import type { Route } from './api/route.ts';
import type { Faults, Subject } from './faults.ts';
import type { Exchange } from './http-server.ts';
import { decodeProtobuf, protobufType } from './protobuf/decode.ts';
import { qualified, Refusal } from './refusal.ts';
import type { RequestLog } from './request-log.ts';

/** The real server's limit of a request body. */
const longestBodyBytes = 3 * 1024 * 1024;

/** Serves one request under the faults in force, and enters it in the log. */
export async function serveExchange(
  { request, response, signal }: Exchange,
  { parts, faults, requests }: { parts: Parts; faults: Faults; requests: RequestLog },
): Promise<void> {
  const { body, contentType } = await readBody(request);
  const header = (name: string): string => {
    const value = name === 'content-type' ? contentType : request.headers[name];
    return typeof value === 'string' ? value : '';
  };
  const url = new URL(request.url ?? '/', 'http://server');
  const asked: ApiRequest = { method: request.method ?? 'GET', url, header, body };
  const route = routeOrRefusal(asked, parts.registry);
  const subject = subjectOf(route);
  const log = (code: number, changed: boolean | undefined): void =>
    requests.add({
      ...entryOf(route, url),
      atMs: parts.clock.nowMs(),
      code,
      userAgent: header('user-agent'),
      changed,
    });

  const verdict = await faults.judge(subject, signal);
  if (verdict.kind === 'reset') {
    log(0, undefined);
    request.socket.resetAndDestroy();
    return;
  }
  const result =
    verdict.kind === 'answer'
      ? refusalAnswer(new Refusal(verdict))
      : Buffer.byteLength(body) > longestBodyBytes
        ? refusalAnswer(tooLarge())
        : route instanceof Refusal
          ? refusalAnswer(route)
          : respondOrReport(asked, route, parts);
  if (result.kind === 'answer') {
    log(result.code, result.changed);
    sendAnswer(response, result);
  } else {
    log(200, undefined);
    await sendStream(response, result, { faults, subject, signal });
  }
}

/** The body as text. What kubectl's typed commands send as protobuf is JSON from here on, where it can be read. */
async function readBody(request: IncomingMessage): Promise<{ body: string; contentType: string }> {
  const bytes = await buffer(request);
  const contentType = request.headers['content-type'] ?? '';
  if (contentType.startsWith(protobufType)) {
    const object = decodeProtobuf(bytes);
    if (object !== undefined) {
      return { body: JSON.stringify(object), contentType: 'application/json' };
    }
  }
  return { body: bytes.toString(), contentType };
}

const tooLarge = (): Refusal =>
  new Refusal({
    code: 413,
    reason: 'RequestEntityTooLarge',
    message: `Request entity too large: limit is ${longestBodyBytes}`,
  });

/** A fault of this program is the client's 500, with the whole story. */
function respondOrReport(asked: ApiRequest, route: Route, parts: Parts): Answer | Stream {
  try {
    return respond(asked, route, parts);
  } catch (error) {
    const message = `Internal error occurred: ${error instanceof Error ? (error.stack ?? explain(error)) : String(error)}`;
    return answer(new Refusal({ code: 500, reason: 'InternalError', message }).status, 500);
  }
}

function sendAnswer(response: ServerResponse, { code, body, contentType, headers }: Answer): void {
  response.writeHead(code, {
    'Content-Type': contentType,
    'Cache-Control': 'no-cache, private',
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

async function sendStream(
  response: ServerResponse,
  stream: Stream,
  { faults, subject, signal }: { faults: Faults; subject: Subject; signal: AbortSignal },
): Promise<void> {
  response.writeHead(200, {
    'Content-Type': 'application/json',
    'Cache-Control': 'no-cache, private',
  });
  response.flushHeaders();
  // Lines that are due while the server is playing dead.
  let held: string[] = [];
  const release = async (): Promise<void> => {
    await faults.untilHeard(subject, signal);
    for (const line of held) response.write(line);
    held = [];
  };
  let released = Promise.resolve();
  const write = (line: string): void => {
    if (held.length === 0 && !faults.silences(subject)) {
      response.write(line);
      return;
    }
    held.push(line);
    // The rejection means that the client has gone: then nobody waits for these lines.
    if (held.length === 1) released = release().catch(() => {});
  };
  await stream.run({ write, backlog: () => response.writableLength }, signal);
  await released;
  await faults.untilHeard(subject, signal);
  response.end();
}

function subjectOf(route: Route | Refusal): Subject {
  const none = { verb: '', resource: '', subresource: '', namespace: '', name: '' };
  if (route instanceof Refusal || route.kind === 'document') return none;
  const { verb, resource, subresource, namespace, name } = route;
  return { verb, resource: resource.plural, subresource, namespace, name };
}

function entryOf(route: Route | Refusal, url: URL) {
  if (route instanceof Refusal || route.kind === 'document') {
    const verb = 'document' as const;
    return { verb, resource: url.pathname, subresource: '', namespace: '', name: '' };
  }
  const { verb, resource, subresource, namespace, name } = route;
  return { verb, resource: qualified(resource), subresource, namespace, name };
}
