import { until } from '../../daemon/testing/until.ts';
import type { Host, Program, Running } from '../lab/host.ts';
import { readJsonLines } from '../lab/json-lines.ts';
import type { Sight } from './programs/follow.ts';

/** How long anything in the bench may take before it is given up. */
const patienceMs = 120_000;

/** The judge's process on a host, and what it sees. */
export class Follower implements AsyncDisposable {
  readonly #running: Running;
  readonly #gone = new AbortController();
  #sight: Sight | undefined;

  private constructor(host: Host, program: Program) {
    const running = host.spawn(program);
    this.#running = running;
    void running.exited.then((how) => {
      this.#gone.abort(new Error(`the judge ended ${how}: ${host.logOf(program.name, 12)}`));
    });
    readJsonLines<Sight>(running.output, (sight) => (this.#sight = sight));
  }

  /** Resolves when it has listed all Services and watches them. */
  static async on(host: Host, program: Program): Promise<Follower> {
    const follower = new Follower(host, program);
    await follower.see('the judge sees the Services', () => true);
    return follower;
  }

  get sight(): Sight | undefined {
    return this.#sight;
  }

  /** The first sight that is as wanted. */
  see(description: string, wanted: (sight: Sight) => boolean): Promise<Sight> {
    return until(
      description,
      () => (this.#sight !== undefined && wanted(this.#sight) ? this.#sight : undefined),
      { withinMs: patienceMs, signal: this.#gone.signal },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#running.signal('SIGKILL');
    await this.#running.exited;
  }
}
