import { extname } from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { Clock } from '../daemon/clock.ts';
import { wake } from './io/poll.ts';
import type { Fact, Order, WireStart } from './orders.ts';
import type { Plan } from './plan.ts';
import { planChange } from './plan-change.ts';
import type { Speaker } from './roster.ts';

/** The main thread counts as hanging when it has not run for this long; peers then take over. */
const hangSeconds = 10;
const beatMs = 500;

/** The main thread's end of the wire thread. */
export class WirePort {
  readonly #worker: Worker;
  readonly #orders: WireStart['orders'];
  readonly #beat: NodeJS.Timeout;
  readonly #left = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #wakerFd: number | undefined;
  #plan: Plan | undefined;

  constructor(start: Omit<WireStart, 'orders' | 'mainAliveUntil'>, onFact: (fact: Fact) => void) {
    const { port1, port2 } = new MessageChannel();
    const mainAliveUntil = new BigUint64Array(new SharedArrayBuffer(8));
    const beat = () => {
      const untilNs = process.hrtime.bigint() + BigInt(hangSeconds) * 1_000_000_000n;
      Atomics.store(mainAliveUntil, 0, untilNs);
    };
    beat();
    this.#beat = setInterval(beat, beatMs);
    this.#orders = port1;
    const workerData: WireStart = { ...start, orders: port2, mainAliveUntil };
    // It lies beside this file, as source and as bundle.
    const file = `wire-thread${extname(import.meta.url)}`;
    this.#worker = new Worker(new URL(file, import.meta.url), {
      workerData,
      transferList: [port2],
    });
    this.#worker.on('message', (fact: Fact) => {
      if (fact.kind === 'ready') this.#ready(fact.wakerFd);
      if (fact.kind === 'left') this.#left.resolve();
      onFact(fact);
    });
    this.#worker.on('error', (error) => {
      this.#ended.reject(new Error('the wire thread failed', { cause: error }));
    });
    this.#worker.on('exit', (code) => {
      this.#ended.reject(new Error(`the wire thread ended with code ${code}`));
    });
    this.#ended.promise.catch(() => {});
  }

  /** Rejects when the thread fails; never resolves before `close`. */
  get failed(): Promise<void> {
    return this.#ended.promise;
  }

  give(order: Order): void {
    this.#orders.postMessage(order);
    if (this.#wakerFd !== undefined) wake(this.#wakerFd);
  }

  /** Gives a plan, as what is different from the one before. */
  adopt(plan: Plan, speakers: readonly Speaker[]): void {
    this.give({ kind: 'plan', change: planChange(this.#plan, plan), speakers });
    this.#plan = plan;
  }

  /** Hands every address over; resolves when nothing is held any more, or after `atMostMs`. */
  async leave(clock: Clock, atMostMs: number): Promise<void> {
    this.give({ kind: 'leave' });
    await Promise.race([this.#left.promise, this.failed, clock.sleep(atMostMs)]);
  }

  /** Ends the thread; nothing is answered afterwards. */
  async close(): Promise<void> {
    clearInterval(this.#beat);
    this.#ended.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#worker.once('exit', () => resolve());
    this.give({ kind: 'stop' });
    await promise;
  }

  #ready(wakerFd: number): void {
    this.#wakerFd = wakerFd;
    // Orders given before now are waiting.
    wake(wakerFd);
  }
}
