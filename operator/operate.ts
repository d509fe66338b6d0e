import type { EventRecorder } from '../kube/events.ts';
import { holdLease } from '../kube/lease.ts';
import { KeyedQueue } from '../kube/queue.ts';
import { Controller, type ControllerOptions } from './controller.ts';
import { providePulseKey } from './pulse-key.ts';

/** Operators that compete for this Lease are one: only its holder writes. */
export const leaseName = 'mercurylb-operator';

export type OperatorOptions = Omit<ControllerOptions, 'events' | 'held'> & {
  readonly events: EventRecorder;
  readonly identity: string;
  readonly leaseSeconds: number;
  readonly randomBytes: (count: number) => Uint8Array;
};

// What was recorded last should be read by somebody; a stopping process is not waited for longer.
const lastWordsMs = 2_000;

/**
 * Runs the operator until the signal is aborted: waits for the lease, then controls. Every term
 * of leadership begins with a new controller, which knows nothing but what the API server says.
 */
export async function operate(options: OperatorOptions, signal: AbortSignal): Promise<void> {
  const { transport, namespace, identity, leaseSeconds, clock, random, log } = options;
  await holdLease(
    {
      transport,
      namespace,
      name: leaseName,
      identity,
      leaseSeconds,
      clock,
      random,
      log,
      whileHeld: async (working, held) => {
        const once = new KeyedQueue({
          work: () => providePulseKey(options, held),
          concurrency: 1,
          clock,
          random,
          log,
        });
        once.add('pulse key');
        try {
          const controller = new Controller({ ...options, held });
          await Promise.all([controller.run(working), once.run(working)]);
        } finally {
          options.tally.reset();
        }
      },
    },
    signal,
  );
  await options.events.close(AbortSignal.timeout(lastWordsMs));
}
