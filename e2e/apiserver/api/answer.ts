import type { Json } from '../json.ts';
import type { Refusal } from '../refusal.ts';

/** A whole answer. */
export type Answer = {
  readonly kind: 'answer';
  readonly code: number;
  readonly body: string;
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What a write did; undefined for reads. */
  readonly changed?: boolean;
};

/** An answer that goes on: lines until the client, the timeout or the server ends it. */
export type Stream = {
  readonly kind: 'stream';
  /** Writes lines to the sink until it is over; rejects only when the program is broken. */
  readonly run: (sink: Sink, signal: AbortSignal) => Promise<void>;
};
type Sink = {
  readonly write: (line: string) => void;
  /** Bytes that the client has not taken yet. */
  readonly backlog: () => number;
};

export const json = 'application/json';

export const answer = (body: Json, code = 200): Answer => answerText(JSON.stringify(body), code);

export const answerText = (body: string, code = 200): Answer => ({
  kind: 'answer',
  code,
  body,
  contentType: json,
});

export const refusalAnswer = (refusal: Refusal): Answer => ({
  ...answer(refusal.status, refusal.code),
  ...(refusal.code === 429 || refusal.code === 503 ? { headers: { 'Retry-After': '1' } } : {}),
});
