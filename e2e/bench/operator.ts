import type { Host, Running } from '../lab/host.ts';
import { operator } from '../lab/programs.ts';
import { systemClock } from '../../daemon/clock.ts';
import { bundleOf } from './bundle.ts';
import { type Cost, costOf } from './cost.ts';

/** One life of the operator's process. */
export class Operator {
  readonly #running: Running;
  readonly #startedAtMs = systemClock.nowMs();
  /** When it knows all there is and begins to decide: seconds after its start. */
  readonly ready: Promise<number>;

  constructor(host: Host, kubeconfigPath: string) {
    const { name, file, args } = bundleOf(operator(kubeconfigPath));
    // Always the same name, as a restarted container has it: it takes its own lease back at once.
    const running = host.spawn({ name, file, args: [...args, '--identity', 'bench'] });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#running = running;
    this.ready = promise;
    const listen = (chunk: unknown): void => {
      if (!String(chunk).includes('"message":"adopted"')) return;
      resolve((systemClock.nowMs() - this.#startedAtMs) / 1_000);
      // What it says from now on is taken, as a container runtime would, and not read.
      running.output.off('data', listen).resume();
    };
    running.output.on('data', listen);
    void running.exited.then((how) => reject(new Error(`the operator ended ${how}`)));
    promise.catch(() => {});
  }

  cost(): Cost {
    return costOf(this.#running.pid);
  }

  /** In order, with a last word: or at once, without. */
  async stop(): Promise<void> {
    await this.#running.stop();
  }

  async kill(): Promise<void> {
    this.#running.signal('SIGKILL');
    await this.#running.exited;
  }
}
