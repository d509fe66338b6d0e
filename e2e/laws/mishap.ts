import { ApiError } from '../../kube/transport.ts';

/** What happens on purpose. */
export class Mishap extends Error {}

/** Whether a failure is what a server or a connection may do, and no mistake of the program. */
export const isMishap = (error: unknown): boolean =>
  error instanceof ApiError ||
  error instanceof Mishap ||
  (error instanceof Error && /closed|dead/.test(error.message));
