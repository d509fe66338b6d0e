import type { Verb } from './api/route.ts';

/** One request that has been answered, or a watch that has been opened. */
export type LoggedRequest = {
  readonly atMs: number;
  readonly verb: Verb | 'document';
  /** Plural with its group, as `ipaddresspools.metallb.io`; the path of a document. */
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
  readonly userAgent: string;
  /** Whether a write changed the store; undefined for reads. */
  readonly changed: boolean | undefined;
};

type RequestFilter = Partial<Omit<LoggedRequest, 'atMs'>>;

const limit = 100_000;

/** What clients asked for, for tests that count. The oldest go first when there are too many. */
export class RequestLog {
  #entries: LoggedRequest[] = [];

  add(entry: LoggedRequest): void {
    this.#entries.push(entry);
    if (this.#entries.length >= 2 * limit) this.#entries = this.#entries.slice(limit);
  }

  /** Those that agree with every given field, oldest first. */
  matching(filter: RequestFilter = {}): readonly LoggedRequest[] {
    const wanted = Object.entries(filter);
    return this.#entries.filter((entry) =>
      wanted.every(([key, value]) => Reflect.get(entry, key) === value),
    );
  }

  count(filter: RequestFilter = {}): number {
    return this.matching(filter).length;
  }

  clear(): void {
    this.#entries = [];
  }
}
