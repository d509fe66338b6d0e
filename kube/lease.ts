import type { Clock } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import { backoffMs } from './backoff.ts';
import { anyOf, Deadline } from './deadline.ts';
import { apiVersionOf, kinds, pathOf } from './kinds.ts';
import { claimLease, judgeLease } from './lease-claim.ts';
import type { Lease, LeaseSpec } from './object.ts';
import { ApiError, type Transport } from './transport.ts';

type LeaseOptions = {
  readonly transport: Transport;
  readonly namespace: string;
  readonly name: string;
  /** Distinct for every process that may run at the same time: one takes its own lease back without waiting. */
  readonly identity: string;
  readonly leaseSeconds: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /**
   * What only the holder may do. Once `signal` is aborted, nothing more is begun; `held`, which is aborted when the
   * lease is lost and not when we are asked to end, goes with each write: it is asked before that leaves, and breaks it
   * off. Both ask the clock. Derive others by `anyOf`: those of `AbortSignal.any` abort by timer only.
   */
  readonly whileHeld: (signal: AbortSignal, held: AbortSignal) => Promise<void>;
};

/**
 * Waits for the lease, runs `whileHeld`, and gives the lease back. The lease is renewed after a third of its time;
 * the signal aborts when two thirds have passed since the last renewal was sent, and another takes it only after
 * a whole one without any change: in between, what was begun can end. A lost lease is waited for again. Ends when
 * `signal` is aborted or `whileHeld` has returned; rejects with what `whileHeld` throws by itself.
 */
export async function holdLease(options: LeaseOptions, signal: AbortSignal): Promise<void> {
  const candidate = new Candidate(options);
  for (;;) {
    const held = await candidate.acquire(signal);
    if (held === undefined) return;
    if ((await candidate.hold(held, signal)) === 'done') return;
  }
}

/** The lease as last written by us, and when that was sent, on our own clock. */
type Held = { readonly lease: Lease; readonly sentAtMs: number };

class Candidate {
  readonly #options: LeaseOptions;
  readonly #log: Log;
  readonly #leaseMs: number;

  constructor(options: LeaseOptions) {
    this.#options = options;
    const { namespace, name, identity } = options;
    this.#log = options.log.with({ lease: `${namespace}/${name}`, identity });
    this.#leaseMs = options.leaseSeconds * 1_000;
  }

  /** `undefined` when the signal was aborted first. */
  async acquire(signal: AbortSignal): Promise<Held | undefined> {
    const { clock, random, identity, leaseSeconds } = this.#options;
    let seen: { readonly mark: string; readonly sinceMs: number } | undefined;
    let failures = 0;
    while (!signal.aborted) {
      let waitMs = (this.#leaseMs / 6) * (0.8 + 0.4 * random());
      try {
        const lease = await this.#read(signal);
        const mark = `${lease?.metadata.uid} ${lease?.metadata.resourceVersion}`;
        if (seen?.mark !== mark) seen = { mark, sinceMs: clock.nowMs() };
        const unchangedMs = clock.nowMs() - seen.sinceMs;
        const verdict = judgeLease(lease, { identity, leaseSeconds, unchangedMs });
        if (verdict.kind !== 'wait') return await this.#claim(lease, signal);
        waitMs = Math.min(waitMs, verdict.waitMs);
        failures = 0;
      } catch (error) {
        // Somebody was faster: that is what the lease is for.
        if (!isConflict(error)) waitMs = this.#failed(++failures, error);
      }
      await pause(clock, waitMs, signal);
    }
    return undefined;
  }

  /** Whether all is done, or the lease was lost and has to be waited for again. */
  async hold(held: Held, signal: AbortSignal): Promise<'done' | 'lost'> {
    const { clock, whileHeld } = this.#options;
    const expired = () => new Error(`the lease ${this.#options.name} was not renewed in time`);
    using deadline = new Deadline(clock, this.#endOf(held), expired);
    const working = anyOf(deadline.signal, signal);
    this.#log.info('took the lease');
    const over = new AbortController();
    // Who is to end does not renew: what takes too long to end loses the lease, and the next waits that out.
    const renewing = this.#keepRenewing(held, deadline, AbortSignal.any([over.signal, working]));
    let lost = false;
    try {
      await whileHeld(working, deadline.signal);
    } catch (error) {
      if (!working.aborted || !isEchoOf(error, working.reason)) throw error;
    } finally {
      lost = deadline.signal.aborted;
      over.abort();
      const last = await renewing;
      // Whoever still holds on to a signal must not act on it any more.
      deadline.end(new Error('the lease was given back'));
      if (!lost) await this.#release(last);
    }
    if (lost) this.#log.warn('lost the lease', { error: deadline.signal.reason });
    return lost ? 'lost' : 'done';
  }

  /** Returns the lease as it was last known to be ours. */
  async #keepRenewing(first: Held, deadline: Deadline, signal: AbortSignal): Promise<Lease> {
    const { clock, random } = this.#options;
    let held = first;
    let dueMs = held.sentAtMs + this.#leaseMs / 3;
    for (;;) {
      await pause(clock, dueMs - clock.nowMs(), signal);
      if (signal.aborted || deadline.signal.aborted) return held.lease;
      try {
        held = await this.#claim(held.lease, signal);
        deadline.extend(this.#endOf(held));
        dueMs = held.sentAtMs + this.#leaseMs / 3;
      } catch (error) {
        if (signal.aborted) return held.lease;
        dueMs = clock.nowMs() + (this.#leaseMs / 15) * (0.5 + random());
        this.#log.debug('renewing the lease failed', { error });
        if (isGone(error)) deadline.end(error);
        if (isConflict(error)) held = await this.#afterConflict(held, deadline, signal);
      }
    }
  }

  /** Something else was changed about it, or an answer of ours was lost on the way; or it is no longer ours. */
  async #afterConflict(held: Held, deadline: Deadline, signal: AbortSignal): Promise<Held> {
    const { identity } = this.#options;
    try {
      const lease = await this.#read(signal);
      if (lease?.spec?.holderIdentity === identity) return { ...held, lease };
      const holder = lease?.spec?.holderIdentity ?? 'nobody';
      deadline.end(new Error(`the lease ${this.#options.name} is held by ${holder}`));
    } catch (error) {
      if (!signal.aborted) this.#log.debug('reading the lease failed', { error });
    }
    return held;
  }

  /** So that the next need not wait. Where it does not succeed, the next waits. */
  async #release(lease: Lease): Promise<void> {
    const { identity } = this.#options;
    const release = (of: Lease) => this.#put(of, { ...of.spec, holderIdentity: '' });
    try {
      await release(lease).catch(async (error: unknown) => {
        if (!isConflict(error)) throw error;
        const now = await this.#read();
        if (now?.spec?.holderIdentity === identity) await release(now);
      });
      this.#log.info('gave back the lease');
    } catch (error) {
      this.#log.warn('the lease was not given back and has to run out', { error });
    }
  }

  /** Creates it, takes it or renews it. Counted from before it is sent: the server's time of it is later. */
  async #claim(lease: Lease | undefined, signal: AbortSignal): Promise<Held> {
    const { clock } = this.#options;
    const sentAtMs = clock.nowMs();
    const spec = claimLease(lease?.spec, this.#options, clock.wall());
    const written =
      lease === undefined ? await this.#post(spec, signal) : await this.#put(lease, spec, signal);
    return { lease: written, sentAtMs };
  }

  async #read(signal?: AbortSignal): Promise<Lease | undefined> {
    const { transport, namespace, name } = this.#options;
    const path = pathOf(kinds.lease, { namespace, name });
    try {
      return await transport.call<Lease>({ method: 'GET', path, timeoutMs: this.#callMs }, signal);
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  async #post(spec: LeaseSpec, signal: AbortSignal): Promise<Lease> {
    const { transport, namespace, name } = this.#options;
    const body = { ...head, metadata: { namespace, name }, spec };
    const path = pathOf(kinds.lease, { namespace });
    return transport.call({ method: 'POST', path, body, timeoutMs: this.#callMs }, signal);
  }

  /** With the resourceVersion it was read at: a change by anyone in between is a conflict. */
  async #put(lease: Lease, spec: LeaseSpec, signal?: AbortSignal): Promise<Lease> {
    const { transport, namespace, name } = this.#options;
    const body = { ...head, metadata: lease.metadata, spec };
    const path = pathOf(kinds.lease, { namespace, name });
    return transport.call({ method: 'PUT', path, body, timeoutMs: this.#callMs }, signal);
  }

  /** Between renewal and deadline there must be time for a second attempt. */
  get #callMs(): number {
    return this.#leaseMs / 6;
  }

  #endOf(held: Held): number {
    return held.sentAtMs + (this.#leaseMs * 2) / 3;
  }

  /** A single failure is daily life. */
  #failed(failures: number, error: unknown): number {
    if (failures === 2) this.#log.warn('cannot ask for the lease', { error });
    return backoffMs(failures, this.#options.random, { mostMs: this.#leaseMs / 3 });
  }
}

const head = { apiVersion: apiVersionOf(kinds.lease), kind: kinds.lease.kind };

const isConflict = (error: unknown) => error instanceof ApiError && error.code === 409;
const isGone = (error: unknown) => error instanceof ApiError && error.code === 404;

/** Whether an error only says that the signal was aborted, as whatever was waiting on it says. */
function isEchoOf(error: unknown, reason: unknown): boolean {
  for (let at = error; at !== undefined; at = at instanceof Error ? at.cause : undefined)
    if (at === reason) return true;
  return false;
}

async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
