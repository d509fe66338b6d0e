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
