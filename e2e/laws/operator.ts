import type { Clock } from '../../daemon/clock.ts';
import type { Log } from '../../daemon/log.ts';
import type { ControllerOptions } from '../../operator/controller.ts';
import type { ApiServer } from '../apiserver/server.ts';
import { DirectTransport, type OnWrite } from './direct.ts';

/** The operator's controller, or one that is broken on purpose. */
export type ControllerClass = new (options: ControllerOptions) => {
  run(signal: AbortSignal): Promise<void>;
};

type OperatorOptions = {
  readonly api: ApiServer;
  readonly onWrite: OnWrite;
  readonly clock: Clock;
  readonly log: Log;
};

/** One life of the operator, from its start to its end or death. */
export class Operator {
  readonly transport: DirectTransport;
  readonly #held = new AbortController();
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;

  constructor(Controller: ControllerClass, { api, onWrite, clock, log }: OperatorOptions) {
    this.transport = new DirectTransport(api, onWrite);
    const controller = new Controller({
      transport: this.transport,
      namespace: 'metallb-system',
      lbClass: undefined,
      restMs: 60_000,
      events: { record() {} },
      tally: { assigned() {}, refused() {}, pool() {}, poolGone() {}, reset() {} },
      clock,
      log,
      random: () => 0.5,
      held: this.#held.signal,
    });
    this.#ended = controller.run(this.#stopping.signal);
    this.#ended.catch(() => {});
  }

  /** A clean end: what is under way is finished. Rejects with what broke inside. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
    this.transport.close();
  }

  /** As kill -9 does: nothing more leaves it. */
  kill(): void {
    this.transport.close();
    this.#held.abort(new Error('the operator is dead'));
    this.#stopping.abort();
  }

  /** Rejects where it ended by itself. */
  async check(): Promise<void> {
    await Promise.race([this.#ended, Promise.resolve()]);
  }
}
