import type { EventRecorder } from '../kube/events.ts';
import { holdLease } from '../kube/lease.ts';
import { Controller, type ControllerOptions } from './controller.ts';

/** Operators that compete for this Lease are one: only its holder writes. */
export const leaseName = 'mercurylb-operator';

export type OperatorOptions = Omit<ControllerOptions, 'events' | 'held'> & {
  readonly events: EventRecorder;
  readonly identity: string;
  readonly leaseSeconds: number;
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
        try {
          await new Controller({ ...options, held }).run(working);
        } finally {
          options.tally.reset();
        }
      },
    },
    signal,
  );
  await options.events.close(AbortSignal.timeout(lastWordsMs));
}
