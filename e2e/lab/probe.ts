import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../daemon/clock.ts';
import { blackoutMs } from './blackout.ts';
import type { Host, Running } from './host.ts';
import { readJsonLines } from './json-lines.ts';
import { until } from '../../daemon/testing/until.ts';

/** Every 2 ms: the figure that comes out is at most that much too high. */
export const probeIntervalMs = 2;

export type Blackout = { readonly ms: number; readonly sent: number; readonly answered: number };

/** A stream of questions from a host to an address: the UDP probes of `programs/udp-probe.ts`, or any in the same form. */
export type Probe = AsyncDisposable & {
  /** Resolves when the address has been answering for `forMs` without a gap of more than 50 ms. */
  readonly steady: (forMs: number, withinMs?: number) => Promise<void>;
  /**
   * Lets something happen while the probes go on, waits until the address answers steadily again, and says how
   * long it did not.
   */
  readonly blackoutOf: (happen: () => Promise<void> | void, withinMs?: number) => Promise<Blackout>;
};

type Report = { readonly sent: number; readonly replies: readonly number[] };
const program = fileURLToPath(new URL('./programs/udp-probe.ts', import.meta.url));

export function openProbe(host: Host, address: string, port: number): Probe {
  const running = host.spawn({
    name: `probe-${address}`,
    file: process.execPath,
    args: [program, address, String(port), String(probeIntervalMs)],
  });
  return followProbe(address, running);
}

/** Reads what a running program reports, in the lines of `programs/udp-probe.ts`. */
export function followProbe(
  address: string,
  running: Running & { readonly output: Readable },
): Probe {
  const replies: number[] = [];
  let sent = 0;
  readJsonLines<Report>(running.output, (report) => {
    sent = report.sent;
    replies.push(...report.replies);
  });

  const isSteady = (sinceMs: number, forMs: number): boolean => {
    const nowMs = replies.at(-1) ?? 0;
    const fromMs = nowMs - forMs;
    // Reports come every 50 ms: an older last reply means that answers have stopped.
    if (fromMs < sinceMs || systemClock.nowMs() - nowMs > 200) return false;
    return blackoutMs(replies, { fromMs, eventMs: fromMs, untilMs: nowMs }) < 50;
  };
  const steadySince = (sinceMs: number, forMs: number, withinMs: number): Promise<true> =>
    until(`${address} answers without a gap`, () => isSteady(sinceMs, forMs), { withinMs });

  return {
    async steady(forMs, withinMs = 10_000) {
      await steadySince(0, forMs, withinMs);
    },
    async blackoutOf(happen, withinMs = 10_000) {
      const fromMs = systemClock.nowMs();
      const before = { sent, answered: replies.length };
      const eventMs = systemClock.nowMs();
      await happen();
      await steadySince(systemClock.nowMs(), 300, withinMs);
      const untilMs = replies.at(-1) ?? systemClock.nowMs();
      const ms = blackoutMs(replies, { fromMs: fromMs - 50, eventMs, untilMs });
      return { ms, sent: sent - before.sent, answered: replies.length - before.answered };
    },
    async [Symbol.asyncDispose]() {
      await running.stop();
    },
  };
}
