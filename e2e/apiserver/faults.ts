import type { Clock } from '../../daemon/clock.ts';
import type { Verb } from './api/route.ts';

/** The requests that a fault is for; every field left out means any. */
type Match = {
  readonly verb?: Verb;
  /** Plural without group. */
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
};

export type Subject = { readonly [key in keyof Match]-?: string };

type AnswerFault = {
  readonly kind: 'answer';
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly match: Match;
  left: number;
};
type DelayFault = { readonly kind: 'delay'; readonly ms: number; readonly match: Match };
type HangFault = { readonly kind: 'hang'; readonly match: Match };
type ResetFault = { readonly kind: 'reset'; readonly match: Match; left: number };
type Fault = AnswerFault | DelayFault | HangFault | ResetFault;

/** What to do to one request instead of, or before, answering it. */
type Verdict =
  | { readonly kind: 'serve' }
  | { readonly kind: 'reset' }
  | {
      readonly kind: 'answer';
      readonly code: number;
      readonly reason: string;
      readonly message: string;
    };

const reasons: Readonly<Record<number, string>> = {
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/** The faults now in force. Each call returns what lifts the fault again. */
export class Faults {
  readonly #clock: Clock;
  readonly #faults = new Set<Fault>();
  #changed = Promise.withResolvers<void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Answers matching requests with an error, `times` of them or until lifted. */
  answer({
    code,
    times = Infinity,
    match = {},
  }: {
    code: number;
    times?: number;
    match?: Match;
  }): Disposable {
    const reason = reasons[code] ?? 'InternalError';
    const message = `refused on purpose with ${code}`;
    return this.#add({ kind: 'answer', code, reason, message, match, left: times });
  }

  /** Lets matching requests wait before they are served. */
  delay({ ms, match = {} }: { ms: number; match?: Match }): Disposable {
    return this.#add({ kind: 'delay', ms, match });
  }

  /** Accepts and never answers, and sends nothing on open watches: what is due is sent when lifted. */
  hang(match: Match = {}): Disposable {
    return this.#add({ kind: 'hang', match });
  }

  /** Resets the connections of matching requests unanswered, and unserved. */
  reset({ times = Infinity, match = {} }: { times?: number; match?: Match } = {}): Disposable {
    return this.#add({ kind: 'reset', match, left: times });
  }

  /** Lifts everything. */
  clear(): void {
    this.#faults.clear();
    this.#wake();
  }

  /** Whether streams about this subject are silent now. */
  silences(subject: Subject): boolean {
    return this.#first('hang', subject) !== undefined;
  }

  /** Resolves when the subject is no longer silenced; rejects when the signal aborts first. */
  async untilHeard(subject: Subject, signal: AbortSignal): Promise<void> {
    while (this.silences(subject)) {
      signal.throwIfAborted();
      const aborted = Promise.withResolvers<never>();
      const abort = (): void => aborted.reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      try {
        await Promise.race([this.#changed.promise, aborted.promise]);
      } finally {
        signal.removeEventListener('abort', abort);
      }
    }
  }

  /** Waits as long as the faults say, then tells what is to become of the request. */
  async judge(subject: Subject, signal: AbortSignal): Promise<Verdict> {
    await this.untilHeard(subject, signal);
    const delay = this.#first('delay', subject);
    if (delay !== undefined) await this.#clock.sleep(delay.ms, signal);
    const reset = this.#first('reset', subject);
    if (reset !== undefined) {
      this.#spend(reset);
      return { kind: 'reset' };
    }
    const refusal = this.#first('answer', subject);
    if (refusal === undefined) return { kind: 'serve' };
    this.#spend(refusal);
    return refusal;
  }

  #first<K extends Fault['kind']>(
    kind: K,
    subject: Subject,
  ): Extract<Fault, { kind: K }> | undefined {
    const is = (fault: Fault): fault is Extract<Fault, { kind: K }> => fault.kind === kind;
    return [...this.#faults].filter(is).find(({ match }) => isMeant(subject, match));
  }

  #spend(fault: AnswerFault | ResetFault): void {
    fault.left -= 1;
    if (fault.left <= 0) this.#faults.delete(fault);
  }

  #add(fault: Fault): Disposable {
    this.#faults.add(fault);
    this.#wake();
    return {
      [Symbol.dispose]: () => {
        this.#faults.delete(fault);
        this.#wake();
      },
    };
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

const isMeant = (subject: Subject, match: Match): boolean =>
  Object.entries(match).every(([key, value]) => Reflect.get(subject, key) === value);
