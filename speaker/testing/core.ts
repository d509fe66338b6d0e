import { openSegment } from '../core/segment.ts';
import { step } from '../core/step.ts';

/** What is simulated: the core as it is, or one that was broken on purpose. */
export type Core = {
  readonly open: typeof openSegment;
  readonly step: typeof step;
};

export const soundCore: Core = { open: openSegment, step };
