import { join } from 'node:path';
import { outcomeOf } from '../../lab/command.ts';
import type { Host } from '../../lab/host.ts';
import { followProbe, type Probe, probeIntervalMs } from '../../lab/probe.ts';
import { fromRoot } from '../../lab/programs.ts';
import type { Unmeasured } from './unmeasured.ts';

/** One question and its answer, if one came: until it was at the asker's link, and until the asker had read it. */
export type Turn = {
  readonly address: string;
  readonly arrivedUs?: number;
  readonly readUs?: number;
};

export type Paced = {
  readonly seconds: number;
  readonly asked: number;
  readonly answered: number;
  /** Answers that came, and found no room in the asker's own socket. */
  readonly overflowed: number;
};

/** A station of the LAN that asks by ARP or NDP: `requester.c`, compiled for this run. */
export class Requester {
  readonly #host: Host;
  readonly #path: string;
  #watches = 0;

  private constructor(host: Host, path: string) {
    this.#host = host;
    this.#path = path;
  }

  static async compile(host: Host, folder: string): Promise<Requester | Unmeasured> {
    const path = join(folder, 'requester');
    const sources = ['requester.c', 'question.c'].map((name) =>
      fromRoot(`e2e/bench/announce/${name}`),
    );
    const remedy = '`apt-get install gcc libc6-dev` brings a C compiler';
    try {
      const { code, stderr } = await outcomeOf('cc', ['-O2', '-o', path, ...sources]);
      if (code === 0) return new Requester(host, path);
      return { unmeasured: `cc cannot compile requester.c (${stderr.split('\n')[0]}): ${remedy}` };
    } catch {
      return { unmeasured: `there is no cc: ${remedy}` };
    }
  }

  /** Asks for each address in turn, so often, the next question when the one before was answered. */
  async inTurns(addresses: readonly string[], count: number): Promise<readonly Turn[]> {
    const printed = await this.#run('turns', String(count), ...addresses);
    return printed
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Turn);
  }

  async atPace(
    address: string,
    { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
  ): Promise<Paced> {
    return JSON.parse(
      await this.#run('pace', String(perSecond), String(seconds), address),
    ) as Paced;
  }

  /** Asks until it is closed, as often as the probes are sent. */
  watch(address: string): Probe {
    const running = this.#host.spawn({
      name: `watch-${(this.#watches += 1)}`,
      file: this.#path,
      args: ['eth0', 'watch', String(probeIntervalMs), address],
    });
    return followProbe(address, running);
  }

  #run(...words: readonly string[]): Promise<string> {
    return this.#host.run(this.#path, ['eth0', ...words], { timeoutMs: 120_000 });
  }
}
