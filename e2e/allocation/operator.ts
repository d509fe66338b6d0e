import { systemClock } from '../../daemon/clock.ts';
import { silentLog } from '../../daemon/log.ts';
import type { Access } from '../../kube/access.ts';
import { EventRecorder } from '../../kube/events.ts';
import { type Call, openTransport, type Transport } from '../../kube/transport.ts';
import { operate, type OperatorOptions } from '../../operator/operate.ts';

export type OperatorExtra = Partial<OperatorOptions> & {
  /** Called in place of every write of the status of a Service, which `go` makes. */
  readonly onWrite?: (go: () => Promise<unknown>, signal?: AbortSignal) => Promise<unknown>;
};

/** One operator as the program runs it, without a process of its own: it can be stopped, killed and started anew. */
export class Operator {
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;
  readonly #close: () => void;
  readonly #events: EventRecorder;

  constructor(access: Access, { onWrite, ...extra }: OperatorExtra & { identity: string }) {
    const direct = openTransport(access);
    const transport = onWrite === undefined ? direct : interposed(direct, onWrite);
    const { clock = systemClock, log = silentLog } = extra;
    const reporter = { component: 'mercurylb-operator', instance: extra.identity };
    const events = new EventRecorder({ transport, clock, log, ...reporter });
    const tally = { assigned() {}, refused() {}, pool() {}, poolGone() {}, reset() {} };
    this.#events = events;
    this.#close = () => transport.close();
    this.#ended = operate(
      {
        transport,
        namespace: 'metallb-system',
        lbClass: undefined,
        restMs: 60_000,
        leaseSeconds: 3,
        events,
        tally,
        clock,
        log,
        random: () => 0.5,
        randomBytes: (count) => new Uint8Array(count),
        ...extra,
      },
      this.#stopping.signal,
    );
  }

  /** A clean end. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
    this.#close();
  }

  /** A clean end, but for events that nobody reads any more: one takes a tenth of a second. */
  async stopSilently(): Promise<void> {
    await this.#events.close(AbortSignal.abort());
    await this.stop();
  }

  /** As kill -9 does: nothing more leaves the process. */
  async kill(): Promise<void> {
    this.#close();
    await this.stopSilently();
  }
}

function interposed(direct: Transport, onWrite: NonNullable<OperatorExtra['onWrite']>): Transport {
  return {
    call: async <T>(call: Call, signal?: AbortSignal) => {
      const go = () => direct.call<T>(call, signal);
      const meant = call.method === 'PATCH' && /\/services\/[^/]+\/status$/.test(call.path);
      return (await (meant ? onWrite(go, signal) : go())) as T;
    },
    lines: (call, idleMs, signal) => direct.lines(call, idleMs, signal),
    close: () => direct.close(),
  };
}
