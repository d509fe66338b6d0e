import * as z from 'zod';
import { type Problem, problemReasons } from './problem.ts';

/** Kubernetes' metav1.Condition. */
export const condition = z.object({
  type: z
    .string()
    .max(316)
    .regex(
      /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$/,
    )
    .describe('What the condition is about.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  reason: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
    .describe('Why, in one word that events, logs and metrics use too.'),
  message: z.string().max(32768).describe('What is wrong, where, and what to do about it.'),
  lastTransitionTime: z
    .string()
    .meta({ format: 'date-time' })
    .describe('Since when the status is what it is.'),
  observedGeneration: z
    .int()
    .min(0)
    .meta({ format: 'int64' })
    .describe('The generation of the object that was judged.')
    .optional(),
});
export type Condition = z.output<typeof condition>;

/** The one condition that pools and advertisements carry. */
export const readyType = 'Ready';

/**
 * What is to be written on an object that has these problems (none: it is Ready). The reason is
 * that of the gravest problem, the message tells all. As long as the status stays what it was
 * `before`, so does its time; a result equal to `before` need not be written.
 */
export function readyCondition(
  problems: readonly Problem[],
  about: {
    readonly generation?: number;
    readonly now: Date;
    readonly before?: Condition;
    /** Addresses of a pool that nobody gets, and whose they are: no problem, but not as written either. */
    readonly withheld?: string | undefined;
  },
): Condition {
  const gravestFirst = problems.toSorted(
    (a, b) => problemReasons.indexOf(a.reason) - problemReasons.indexOf(b.reason),
  );
  const status = gravestFirst.length === 0 ? 'True' : 'False';
  const since =
    about.before?.status === status
      ? about.before.lastTransitionTime
      : about.now.toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    type: readyType,
    status,
    reason: gravestFirst[0]?.reason ?? 'Accepted',
    message: messageOf(gravestFirst, about.withheld),
    lastTransitionTime: since,
    ...(about.generation === undefined ? {} : { observedGeneration: about.generation }),
  };
}

function messageOf(problems: readonly Problem[], withheld: string | undefined): string {
  const exception =
    withheld === undefined ? '' : `, but nobody gets what is somebody's: ${withheld}`;
  if (problems.length === 0) return `Everything in the object is in use as written${exception}.`;
  const lines = problems.map(({ detail }) => `${detail}.`);
  if (withheld !== undefined) lines.push(`Nobody gets what is somebody's: ${withheld}.`);
  const text = lines.join('\n');
  // The API server takes at most 32768 characters.
  return text.length <= 4096 ? text : `${text.slice(0, 4093)}...`;
}
